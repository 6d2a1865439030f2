// One HTTP call to the app: it has an end, is sent again where that is harmless, and fails with an error of the one table.
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { Problem } from "#shared/api.ts";
import { type ErrorCode, type Issue, MlpipeError, errorKinds, isMlpipeError } from "#shared/errors.ts";

export interface ServerAddress {
  /** With or without `/api`. */
  readonly url: string;
  readonly key: string | undefined;
}

export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** What the call itself asks the server to wait, on top of the ordinary time. */
  readonly waitSeconds?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether sending it twice is as good as once; reading always is. */
  readonly isRepeatable?: boolean;
}

export interface Caller {
  readonly base: string;
  /** @throws MlpipeError `Unavailable` when the server is not there or is slow, else what its problem document says. */
  readonly call: (path: string, options?: Call) => Promise<Response>;
  readonly read: <T>(schema: z.ZodType<T>, path: string, options?: Call) => Promise<T>;
  readonly parse: <T>(schema: z.ZodType<T>, response: Response) => Promise<T>;
  readonly readBytes: (response: Response) => Promise<Uint8Array>;
}

const answerSeconds = 30;
const retryPauses = [300, 1000];

export function createCaller({ url, key }: ServerAddress): Caller {
  const base = url.replace(/\/+$/, "").replace(/\/api$/, "");

  async function callOnce(
    path: string,
    { method = "GET", body, headers, waitSeconds = 0, signal }: Call,
  ): Promise<Response> {
    const deadline = AbortSignal.timeout((answerSeconds + waitSeconds) * 1000);
    let response: Response;
    try {
      response = await fetch(`${base}/api${path}`, {
        method,
        headers: {
          ...(key === undefined ? {} : { "x-functions-key": key }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw toUnavailable(base, error);
    }
    if (response.ok || response.status === 304) return response;
    throw await toError(base, response);
  }

  async function call(path: string, options: Call = {}): Promise<Response> {
    const isRepeatable = options.isRepeatable ?? options.method !== "POST";
    for (let attempt = 0; ; attempt++) {
      try {
        return await callOnce(path, options);
      } catch (error) {
        const pause = isRepeatable ? retryPauses[attempt] : undefined;
        if (pause === undefined || !isMlpipeError(error) || !errorKinds[error.code].isRetryable) throw error;
        await sleep(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
      }
    }
  }

  async function readBytes(response: Response): Promise<Uint8Array> {
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw toUnavailable(base, error);
    }
  }

  async function parse<T>(schema: z.ZodType<T>, response: Response): Promise<T> {
    const parsed = schema.safeParse(tryJson(new TextDecoder().decode(await readBytes(response))));
    if (parsed.success) return parsed.data;
    const message = `${base} answers ${response.status} with something that is not mlpipe's: is the address right?`;
    throw new MlpipeError("Internal", message, { cause: parsed.error });
  }

  return {
    base,
    call,
    parse,
    readBytes,
    read: async (schema, path, options) => parse(schema, await call(path, options)),
  };
}

async function toError(base: string, response: Response): Promise<MlpipeError> {
  const problem = Problem.safeParse(tryJson(await response.text().catch(() => "")));
  const retryAfter = Number(response.headers.get("retry-after"));
  const retry = retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {};
  if (!problem.success)
    return new MlpipeError(codeOf(response.status), `${base} answers ${describe(response.status)}`, retry);
  const { code, detail, issues = [], invocationId } = problem.data;
  const known = code in errorKinds ? (code as ErrorCode) : codeOf(response.status); // `in` is the proof
  const trace = known === "Internal" && invocationId !== undefined ? ` (invocation ${invocationId})` : "";
  // A zod optional may hold undefined, an Issue's may not; JSON has none.
  return new MlpipeError(known, `${detail}${trace}`, { ...retry, issues: issues as Issue[] });
}

function codeOf(status: number): ErrorCode {
  if (status === 403) return "Unauthorized";
  if (status === 408 || status === 429 || status === 502 || status === 504) return "Unavailable";
  const codes = Object.keys(errorKinds) as ErrorCode[]; // the table's keys are its codes
  return codes.find((code) => errorKinds[code].httpStatus === status) ?? (status < 500 ? "InvalidRequest" : "Internal");
}

function describe(status: number): string {
  const kind = Object.values(errorKinds).find((each) => each.httpStatus === status);
  return kind === undefined ? String(status) : `${status}: ${kind.title.toLowerCase()}`;
}

function toUnavailable(base: string, error: unknown): MlpipeError {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new MlpipeError("Unavailable", `${base} does not answer in time`, { cause: error });
  }
  // fetch says only that it failed; its cause says why.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const reason = cause !== undefined && "code" in cause ? String(cause.code) : cause?.message;
  const why = reason === undefined ? "" : ` (${reason})`;
  return new MlpipeError("Unavailable", `${base} cannot be reached${why}`, { cause: error });
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
