// The part of the host's admin API that people and supervisors use; all of it but `ping` takes the master key.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FunctionMetadata, HostKeys, InvocationRequest, Worker } from "./contract.ts";
import { answer, answerJson } from "./http-response.ts";
import { isAllowed, keyOf } from "./key-check.ts";
import { readBody } from "./request-body.ts";

export interface AdminApiOptions {
  readonly worker: Worker;
  readonly functions: readonly AdminFunction[];
  readonly keys: HostKeys;
  /** Functions in error, in sentences. */
  readonly errors: readonly string[];
}

export interface AdminFunction {
  readonly metadata: FunctionMetadata;
  readonly isDisabled: boolean;
  /** What a run by hand is given; absent when the function cannot be run by hand. @throws when the input does not fit */
  readonly toRequest?: (input: string) => InvocationRequest;
}

const inputLimitBytes = 1_048_576;

/** @returns the handler of `/admin/...` */
export function createAdminApi(options: AdminApiOptions) {
  const functions = new Map(options.functions.map((each) => [each.metadata.name.toLowerCase(), each]));

  async function runByHand(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const target = functions.get(name.toLowerCase());
    if (target === undefined) return answer(response, 404);
    if (target.toRequest === undefined)
      return answer(response, 400, `${target.metadata.name} cannot be started here: use its own address or client.`);
    let invocation: InvocationRequest;
    try {
      invocation = target.toRequest(parseInput((await readBody(request, inputLimitBytes)).toString("utf8")));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return answer(
        response,
        400,
        'The body must be JSON such as {"input": "text"}, and the input what the trigger takes.',
      );
    }
    // The worker logs how it ends; the caller has its answer by then.
    options.worker.invoke(invocation).catch(() => {});
    answer(response, 202);
  }

  return async function handleAdmin(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [, , area = "", name = "", ...rest] = decodeURIComponent(url.pathname).replace(/\/$/, "").split("/");
    const place = `${request.method} ${area.toLowerCase()}`;
    if (area.toLowerCase() === "host" && name.toLowerCase() === "ping") return answer(response, 200);
    if (!isAllowed(keyOf(request, url), "admin", options.keys)) return answer(response, 401);
    if (rest.length > 0) return answer(response, 404);
    if (place === "GET host" && name.toLowerCase() === "status") {
      answerJson(response, 200, {
        id: "mlpipe",
        state: "Running",
        version: "4.0.0",
        processUptime: Math.round(process.uptime() * 1000),
        ...(options.errors.length > 0 ? { errors: options.errors } : {}),
      });
    } else if (place === "GET functions" && name === "") {
      answerJson(
        response,
        200,
        [...functions.values()].map(({ metadata, isDisabled }) => ({
          name: metadata.name,
          isDisabled,
          bindings: metadata.bindings,
        })),
      );
    } else if (place === "POST functions" && name !== "") {
      await runByHand(request, response, name);
    } else {
      answer(response, 404);
    }
  };
}

/** @throws SyntaxError when the body is no JSON */
function parseInput(body: string): string {
  const content: unknown = body.trim() === "" ? {} : JSON.parse(body);
  const input = content !== null && typeof content === "object" && "input" in content ? content.input : "";
  return typeof input === "string" ? input : JSON.stringify(input);
}
