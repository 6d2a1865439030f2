const statuses = {
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  REQUEST_LIMIT_EXCEEDED: 413,
  INTERNAL_ERROR: 500,
} as const;

export type MlflowErrorCode = keyof typeof statuses;

/** An error as MLflow clients read it: `{ error_code, message }`. */
export class MlflowError extends Error {
  readonly errorCode: MlflowErrorCode;
  readonly status: number;

  constructor(errorCode: MlflowErrorCode, message: string) {
    super(message);
    this.name = errorCode;
    this.errorCode = errorCode;
    this.status = statuses[errorCode];
  }
}
