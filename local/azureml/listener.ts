// One request from head to answer: who asks, for what, what fault strikes, and the headers the service sends with all it says.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs, type Counters } from "./counters.ts";
import type { FaultPlan } from "./faults.ts";
import type { Answer, Caller } from "./route.ts";
import type { RouteMatch, Router } from "./router.ts";
import { isSameSecret, type RunTokens } from "./run-token.ts";
import { ServiceError } from "./service-error.ts";
import type { Log } from "./workspace-context.ts";
import type { WorkspaceScope } from "./workspace-scope.ts";

export interface ListenerOptions {
  readonly scope: WorkspaceScope;
  readonly router: Router;
  /** Token of the one who owns the workspace. */
  readonly token: string;
  readonly runTokens: RunTokens;
  readonly faults: FaultPlan;
  readonly counters: Counters;
  readonly log: Log;
}

function checkScope(scope: WorkspaceScope, params: RouteMatch["params"]): void {
  const differs = (name: string, ours: string) =>
    params[name] !== undefined && params[name].toLowerCase() !== ours.toLowerCase();
  const miss = (code: string, message: string) => new ServiceError(message, { status: 404, code });
  if (differs("subscriptionId", scope.subscriptionId)) {
    throw miss("SubscriptionNotFound", `The subscription '${params["subscriptionId"]}' could not be found.`);
  }
  if (differs("resourceGroup", scope.resourceGroup)) {
    throw miss("ResourceGroupNotFound", `Resource group '${params["resourceGroup"]}' could not be found.`);
  }
  if (differs("workspace", scope.workspaceName)) {
    throw miss(
      "ResourceNotFound",
      `The Resource 'Microsoft.MachineLearningServices/workspaces/${params["workspace"]}' under resource group '${scope.resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    );
  }
}

export function createListener(options: ListenerOptions): RequestListener {
  const { scope, router, token, runTokens, faults, counters, log } = options;

  const identify = (message: IncomingMessage, isOpenToJobs: boolean): Caller => {
    const [scheme, sent] = (message.headers.authorization ?? "").split(" ", 2);
    if (scheme?.toLowerCase() === "bearer" && sent !== undefined) {
      if (isSameSecret(sent, token)) return { kind: "owner" };
      const jobName = isOpenToJobs ? runTokens.verify(sent) : undefined;
      if (jobName !== undefined) return { kind: "job", jobName };
    }
    throw new ServiceError("The access token is missing or invalid.", {
      status: 401,
      code: "InvalidAuthenticationToken",
    });
  };

  const answerTo = async (
    message: IncomingMessage,
    path: string,
    match: RouteMatch | undefined,
    query: URLSearchParams,
    receivedAtMs: number,
  ) => {
    const group = router.groupOf(path);
    const caller = identify(message, group.isOpenToJobs);
    if (match === undefined) throw group.miss(message.method ?? "", path);
    checkScope(scope, match.params);
    if (group.isVersioned && !query.get("api-version")) {
      throw new ServiceError("The api-version query parameter (?api-version=) is required for all requests.", {
        status: 400,
        code: "MissingApiVersionParameter",
      });
    }
    const { route, params } = match;
    const what = `${message.method} ${path}`;
    if (caller.kind === "owner") counters.arrived(what);
    const fault = faults.forRequest(route.name);
    if (fault.delayMs > 0) await sleep(fault.delayMs);
    if (fault.respond !== undefined) {
      const {
        status,
        retryAfterSeconds,
        code = status === 429 ? "TooManyRequests" : "ServiceError",
        message: text,
      } = fault.respond;
      if (caller.kind === "owner" && retryAfterSeconds !== undefined) counters.toldToWait(what, retryAfterSeconds);
      throw new ServiceError(text ?? `The service answered ${status}.`, {
        status,
        code,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      });
    }
    const origin = `${"encrypted" in message.socket ? "https" : "http"}://${message.headers.host ?? "127.0.0.1"}`;
    const answer = await route.handle({
      params,
      query,
      caller,
      origin,
      target: message.url ?? "/",
      receivedAtMs,
      message,
    });
    return { answer, isReplyLost: fault.isReplyLost };
  };

  const serve = async (message: IncomingMessage, response: ServerResponse, receivedAtMs: number): Promise<void> => {
    const target = message.url ?? "/";
    const [path = "/", search = ""] = target.split("?", 2);
    const place = { operationId: randomUUID(), requestId: randomUUID(), region: scope.region };
    const group = router.groupOf(path);
    const match = router.find(message.method ?? "", path);
    const routeName = match?.route.name ?? "unknown";
    let answer: Answer;
    let isReplyLost = false;
    try {
      ({ answer, isReplyLost } = await answerTo(message, path, match, new URLSearchParams(search), receivedAtMs));
    } catch (error) {
      answer = group.toErrorAnswer(error, place);
      if (answer.status >= 500) log("error", { route: routeName, error }, "request failed");
    }
    counters.count(routeName, answer.status);
    if (isReplyLost) {
      message.socket.destroy();
      return;
    }
    const text = answer.body === undefined ? "" : JSON.stringify(answer.body);
    response.writeHead(answer.status, {
      ...(answer.stream === undefined ? { "content-length": String(Buffer.byteLength(text)) } : {}),
      ...(answer.body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
      "x-ms-request-id": place.requestId,
      "x-ms-correlation-request-id": place.operationId,
      "x-ms-routing-request-id": `${scope.region.toUpperCase()}:${place.requestId}`,
      "x-aml-cluster": `vienna-${scope.region}-01`,
      "x-request-time": ((nowMs() - receivedAtMs) / 1000).toFixed(3),
      [`x-ms-ratelimit-remaining-subscription-${rateKinds[message.method ?? ""] ?? "reads"}`]: "11999",
      ...answer.headers,
    });
    if (answer.stream === undefined) response.end(text);
    else await pipeline(answer.stream, response);
  };

  return (message, response) => {
    serve(message, response, nowMs()).catch((error: unknown) => {
      log("warn", { error }, "answer could not be sent");
      message.socket.destroy();
    });
  };
}

const rateKinds: Readonly<Record<string, string>> = {
  PUT: "writes",
  POST: "writes",
  PATCH: "writes",
  DELETE: "deletes",
};
