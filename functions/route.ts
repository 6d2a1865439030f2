// One HTTP route: what it takes and gives (the OpenAPI document is made of it), who may call it, and what it does. The border is
// here: requests are parsed before a handler sees them, and every error becomes problem+json by the one table.
import type { HttpMethod, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import type { z } from "zod";
import type { Problem } from "#shared/api.ts";
import { errorKinds, type Issue, isMlpipeError, MlpipeError } from "#shared/errors.ts";
import { type Log, withoutSecrets } from "#shared/log.ts";

export interface RouteContract<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  /** Registered name of the function. */
  readonly name: string;
  readonly method: Extract<HttpMethod, "GET" | "POST" | "PUT" | "DELETE">;
  /** Below `/api/`. */
  readonly path: string;
  readonly summary: string;
  /** `anonymous` only for what tells nothing about anybody's runs. */
  readonly authLevel?: "anonymous" | "function";
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The field of `body` that a YAML body is the text of; `pipeline` when absent. */
  readonly yamlField?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: {
    readonly status: number;
    readonly description: string;
    readonly schema?: z.ZodType;
    readonly contentType?: string;
  };
}

export interface RouteRequest<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly headers: Headers;
  readonly client: DurableClient;
  /** `https://host`, as the caller wrote it. */
  readonly origin: string;
}

export interface Route {
  readonly contract: RouteContract<z.ZodType, z.ZodType, z.ZodType>;
  handle(request: HttpRequest, client: DurableClient, context: InvocationContext, log: Log): Promise<HttpResponseInit>;
}

/** A body above this is thrown away as it comes and refused; a pipeline of a thousand nodes is about one megabyte. */
const bodyLimitBytes = 5 * 1024 * 1024;

/** Declares a route. */
export function defineRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  contract: RouteContract<P, Q, B>,
  handler: (request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>>) => Promise<HttpResponseInit>,
): Route {
  return {
    contract,
    async handle(request, client, context, log) {
      try {
        const query = Object.fromEntries([...request.query.entries()].filter(([key]) => key !== "code"));
        return await handler({
          params: parsePart("path", contract.params, request.params),
          query: parsePart("query", contract.query, query),
          body: parsePart(
            "body",
            contract.body,
            contract.body === undefined ? undefined : await readBody(request, contract.yamlField),
          ),
          headers: request.headers as unknown as Headers,
          client,
          origin: new URL(request.url).origin,
        });
      } catch (error) {
        return toProblem(error, context, log);
      }
    },
  };
}

function parsePart<S extends z.ZodType>(part: string, schema: S | undefined, value: unknown): z.output<S> {
  // Without a schema the handler's type for this part is unknown and it cannot read it.
  if (schema === undefined) return undefined as z.output<S>;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues: Issue[] = result.error.issues.map((issue) => ({
    path: issue.path.join("."),
    message: issue.message,
    severity: "error",
  }));
  const first = issues[0];
  const place = first === undefined || first.path === "" ? part : `${part} ${first.path}`;
  throw new MlpipeError("InvalidRequest", `${place}: ${first?.message ?? "is not valid"}`, {
    issues,
  });
}

async function readBody(request: HttpRequest, yamlField = "pipeline"): Promise<unknown> {
  const tooLarge = () =>
    new MlpipeError(
      "TooLarge",
      `The body is larger than ${bodyLimitBytes / 1024 / 1024} MB. Data goes into the blob store and is named by its URI.`,
    );
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body !== null) {
    // To its end, which the host limits: what is left of it would stand before the next request of the host's connection.
    for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size <= bodyLimitBytes) chunks.push(chunk);
    }
  }
  if (size > bodyLimitBytes) throw tooLarge();
  if (size === 0) return {};
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new MlpipeError("InvalidRequest", "The body is not UTF-8 text");
  }
  const isYaml = /\byaml\b/i.test(request.headers.get("content-type") ?? "");
  try {
    // A YAML body IS the pipeline (or schedule); values beside it come by JSON.
    return isYaml ? { [yamlField]: text } : JSON.parse(text);
  } catch (error) {
    throw new MlpipeError(
      "InvalidRequest",
      `The body is not JSON: ${error instanceof Error ? error.message : "it does not parse"}. Send YAML as content-type application/yaml.`,
    );
  }
}

function toProblem(error: unknown, context: InvocationContext, log: Log): HttpResponseInit {
  const known = isMlpipeError(error) ? error : undefined;
  const code = known?.code ?? "Internal";
  const { httpStatus, title } = errorKinds[code];
  if (httpStatus >= 500)
    log.error({ error, function: context.functionName, invocationId: context.invocationId }, "request failed");
  const problem: Problem = {
    type: `urn:mlpipe:problem:${code}`,
    title,
    status: httpStatus,
    code,
    detail:
      known === undefined
        ? `Look for invocation ${context.invocationId} in the app's log.`
        : withoutSecrets(known.message),
    ...(known === undefined || known.issues.length === 0
      ? {}
      : { issues: known.issues.map((issue) => ({ ...issue })) }),
    invocationId: context.invocationId,
  };
  const retryAfter = known?.retryAfterSeconds ?? (code === "Unavailable" ? 5 : undefined);
  return {
    status: httpStatus,
    headers: {
      "content-type": "application/problem+json",
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    },
    body: JSON.stringify(problem),
  };
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): HttpResponseInit {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}
