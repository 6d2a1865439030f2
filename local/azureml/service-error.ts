// Errors as the service words them: https://learn.microsoft.com/rest/api/azureml, ErrorResponse.
export interface ServiceErrorOptions {
  readonly status: number;
  /** Outer code: `UserError` for nearly all the provider says, `ResourceNotFound` and the like for ARM itself. */
  readonly code: string;
  /** Codes from the outermost inner error to the innermost, e.g. `["Immutable", "JobPropertyImmutable"]`. */
  readonly inner?: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly retryAfterSeconds?: number;
}

export class ServiceError extends Error {
  readonly status: number;
  readonly code: string;
  readonly inner: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ServiceErrorOptions) {
    super(message);
    this.name = options.code;
    this.status = options.status;
    this.code = options.code;
    this.inner = options.inner ?? [];
    this.parameters = options.parameters ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** What the caller did wrong. `inner` defaults to `BadArgument`. */
export function userError(
  message: string,
  inner: readonly string[] = ["BadArgument"],
  parameters: Readonly<Record<string, string>> = {},
): ServiceError {
  return new ServiceError(message, { status: 400, code: "UserError", inner, parameters });
}

/** The provider's miss: HTTP 404, yet the outer code stays `UserError`. @param advice sentences that follow */
export function notFound(kind: string, name: string, advice = ""): ServiceError {
  return new ServiceError(`${kind} ${name} not found.${advice === "" ? "" : ` ${advice}`}`, {
    status: 404,
    code: "UserError",
    inner: ["NotFound"],
    parameters: { name },
  });
}

export interface ErrorPlace {
  readonly operationId: string;
  readonly requestId: string;
  readonly region: string;
}

/** The JSON body of an error answer. */
export function errorBody(error: ServiceError, place: ErrorPlace): unknown {
  const innerError = error.inner.reduceRight<unknown>((inside, code) => ({ code, innerError: inside }), null);
  const info = (type: string, value: unknown) => ({ type, info: { value } });
  return {
    error: {
      code: error.code,
      message: error.message,
      target: null,
      details: [],
      additionalInfo: [
        info("ComponentName", "managementfrontend"),
        info("Correlation", { operation: place.operationId, request: place.requestId }),
        info("Environment", place.region),
        info("Location", place.region),
        info("Time", new Date().toISOString()),
        info("InnerError", innerError),
        info("MessageFormat", error.message),
        info("MessageParameters", error.parameters),
      ],
    },
  };
}
