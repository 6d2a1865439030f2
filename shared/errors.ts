// One table: a code, what the reader can do about it, and the answer each surface gives.
// Identity is `code` (also the error's `name`): Durable hands text back, not classes.

export interface ErrorKind {
  /** HTTP status the API answers with. */
  readonly httpStatus: number;
  /** Exit code of the command line. */
  readonly exitCode: number;
  /** Whether trying the same call again can help. */
  readonly isRetryable: boolean;
  readonly title: string;
}

export const errorKinds = {
  InvalidRequest: {
    httpStatus: 400,
    exitCode: 2,
    isRetryable: false,
    title: "The request is not valid",
  },
  Unauthorized: {
    httpStatus: 401,
    exitCode: 3,
    isRetryable: false,
    title: "The key is missing or wrong",
  },
  NotFound: { httpStatus: 404, exitCode: 3, isRetryable: false, title: "There is no such thing" },
  Conflict: {
    httpStatus: 409,
    exitCode: 3,
    isRetryable: false,
    title: "The name is taken by something else",
  },
  TooLarge: { httpStatus: 413, exitCode: 2, isRetryable: false, title: "The request is too large" },
  Unavailable: {
    httpStatus: 503,
    exitCode: 4,
    isRetryable: true,
    title: "A service is slow or down",
  },
  Internal: { httpStatus: 500, exitCode: 70, isRetryable: false, title: "mlpipe itself failed" },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** One thing wrong with what the caller sent: where, what was expected, what to do. */
export interface Issue {
  /** Path into the document, e.g. `jobs.train.inputs.epochs`. */
  readonly path: string;
  readonly message: string;
  /** `error` stops the run before anything is spent; `warning` is told and survives. */
  readonly severity: "error" | "warning";
  /** The nearest right name, when one is near. */
  readonly suggestion?: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
}

export interface MlpipeErrorOptions {
  readonly issues?: readonly Issue[];
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An error whose text may be shown to the caller. Everything else is a bug of ours and is answered as `Internal`. */
export class MlpipeError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: MlpipeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.issues = options.issues ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export function isMlpipeError(error: unknown): error is MlpipeError {
  return error instanceof Error && "code" in error && String(error.code) in errorKinds;
}

/** `file:line:column: message (did you mean …?)`, the one way an issue is printed. */
export function formatIssue(issue: Issue): string {
  const place = [issue.file, issue.line, issue.column].filter((part) => part !== undefined).join(":");
  const where = [place, issue.path].filter((part) => part !== "").join(" ");
  const hint = issue.suggestion === undefined ? "" : ` (did you mean \`${issue.suggestion}\`?)`;
  return `${where === "" ? "" : `${where}: `}${issue.message}${hint}`;
}
