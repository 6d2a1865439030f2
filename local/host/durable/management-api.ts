// The HTTP API of durable instances and entities: one table of routes, behind the public webhook and the loopback listener.
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { Outcome } from "./client-operations.ts";
import type { Engine } from "./engine.ts";
import type { HistoryEvent } from "./events.ts";
import { type Answer, Refusal, readBody, sendAnswer } from "./http-answer.ts";
import { instanceIdRule, isInstanceId, parseEntityId, toEntityId } from "./instance-id.ts";
import { type LinkParts, managementUrls } from "./links.ts";
import { toShownHistory, toStatusDocument } from "./status-document.ts";
import { type InstanceFilter, type InstanceRow, type Store, terminalStatuses } from "./store.ts";

interface Call {
  readonly segments: readonly string[];
  /** Query values by name in lower case. */
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingMessage["headers"];
  readonly body: () => Promise<string>;
  readonly links: LinkParts;
}

export interface ManagementApiParts {
  readonly store: Store;
  readonly engine: Engine;
  readonly maximumPayloadBytes: number;
}

const statuses = ["Pending", "Running", "Suspended", "Completed", "Failed", "Terminated", "Canceled", "ContinuedAsNew"];
const tokenHeader = "x-ms-continuation-token";

/**
 * @returns A handler of one request. `path` is what follows the API's base, without a leading slash; `links` are the
 *   URLs that answers point to. It answers every error itself.
 */
export function createManagementApi({ store, engine, maximumPayloadBytes }: ManagementApiParts) {
  const { operations, catalog } = engine;

  async function start({ segments, query, body, links }: Call): Promise<Answer> {
    const [, name = "", given] = segments;
    const id = given ?? randomBytes(16).toString("hex");
    if (name === "") throw new Refusal(404, "the name of an orchestrator function is missing");
    if (!isInstanceId(id)) throw new Refusal(400, `'${id}': ${instanceIdRule}`);
    const input = await body();
    if (input !== "") requireJson(input);
    const orchestrator = catalog.find("orchestration", name)?.name ?? name;
    const isStarted = operations.start({
      id,
      name: orchestrator,
      version: query.get("version") ?? "",
      input: input === "" ? null : input,
    });
    if (!isStarted)
      throw new Refusal(409, `An Orchestration instance with the status ${store.instance(id)?.status} already exists.`);
    const timeout = seconds(query, "timeout");
    const interval = seconds(query, "pollinginterval");
    if (timeout !== undefined && interval !== undefined) {
      const row = await waitForEnd(id, timeout, interval);
      if (row?.status === "Completed") return { status: 200, body: toStatusDocument(row, null).output };
      if (row !== undefined)
        return { status: row.status === "Failed" ? 500 : 200, body: toStatusDocument(row, store.input(id)) };
    }
    return accepted(id, links);
  }

  async function waitForEnd(id: string, timeoutMs: number, intervalMs: number): Promise<InstanceRow | undefined> {
    for (const deadline = performance.now() + timeoutMs; ; await sleep(Math.max(intervalMs, 1))) {
      const row = store.instance(id);
      if (row !== undefined && terminalStatuses.has(row.status)) return row;
      if (performance.now() >= deadline) return undefined;
    }
  }

  function accepted(id: string, links: LinkParts): Answer {
    const body = managementUrls(links, id);
    return { status: 202, headers: { Location: body.statusQueryGetUri, "Retry-After": "10" }, body };
  }

  function getStatus({ segments, query, links }: Call): Answer {
    const row = requireInstance(segments[1] ?? "");
    const history = flag(query, "showhistory")
      ? toShownHistory(
          store.history(row.id).map((text) => JSON.parse(text) as HistoryEvent),
          { withOutput: flag(query, "showhistoryoutput") },
        )
      : undefined;
    const body = toStatusDocument(row, flag(query, "showinput", true) ? store.input(row.id) : null, history);
    if (!terminalStatuses.has(row.status)) {
      const headers = { Location: managementUrls(links, row.id).statusQueryGetUri, "Retry-After": "5" };
      return { status: 202, headers, body };
    }
    const isError = row.status === "Failed" && flag(query, "returninternalservererroronfailure");
    return { status: isError ? 500 : 200, body };
  }

  function list({ query, headers }: Call): Answer {
    const top = Number(query.get("top") ?? 100);
    if (!Number.isInteger(top) || top < 1) throw new Refusal(400, "top must be a whole number above 0");
    const token = headers[tokenHeader];
    const after =
      typeof token === "string" && token !== "" ? { after: Buffer.from(token, "base64url").toString() } : {};
    const rows = store.listInstances({ ...readFilter(query), ...after, top: top + 1 });
    const page = rows.slice(0, top);
    const next = rows.length > top ? Buffer.from(page.at(-1)?.id ?? "").toString("base64url") : "";
    const withInput = flag(query, "showinput", true);
    return {
      status: 200,
      headers: { [tokenHeader]: next },
      body: page.map((row) => toStatusDocument(row, withInput ? store.input(row.id) : null)),
    };
  }

  function purge({ segments }: Call): Answer {
    const outcome = operations.purge(segments[1] ?? "");
    if (outcome === "refused")
      throw new Refusal(412, "The purge operation is only supported on ended orchestration instances.");
    return settle(outcome, segments[1], { status: 200, body: { instancesDeleted: 1 } });
  }

  function purgeMany({ query }: Call): Answer {
    if (!query.has("createdtimefrom")) throw new Refusal(400, "Please provide value for 'createdTimeFrom' parameter.");
    const count = operations.purgeBy(readFilter(query));
    if (count === 0) throw new Refusal(404, "no ended instance matches");
    return { status: 200, body: { instancesDeleted: count } };
  }

  async function raiseEvent({ segments, headers, body }: Call): Promise<Answer> {
    const [, id = "", , name = ""] = segments;
    if (headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
      throw new Refusal(400, "Only application/json request content is supported");
    }
    if (/^\d+$/.test(name))
      throw new Refusal(400, `an event may not be named '${name}': the library would take it for the result of a task`);
    const data = await body();
    requireJson(data);
    return settle(operations.raiseEvent(id, name, data), id, { status: 202 });
  }

  function changeLife({ segments, query }: Call): Answer {
    const [, id = "", operation = ""] = segments;
    const verb = operation.toLowerCase() as "terminate" | "suspend" | "resume";
    const outcome = operations[verb](id, query.get("reason") ?? "");
    if (outcome === "refused")
      throw new Refusal(500, `cannot ${verb} instance '${id}' while it is ${store.instance(id)?.status}`);
    return settle(outcome, id, { status: 202 });
  }

  function rewind({ segments }: Call): Answer {
    const row = store.instance(segments[1] ?? "");
    if (row === undefined) return { status: 404, text: `No instance with ID '${segments[1]}' found.` };
    if (row.status !== "Failed")
      return { status: 412, text: "The rewind operation is only supported on failed orchestration instances." };
    return { status: 501, text: "The rewind operation is not supported by this host: restart the instance instead." };
  }

  function restart({ segments, query, links }: Call): Answer {
    const row = store.instance(segments[1] ?? "");
    if (row === undefined) throw new Refusal(400, `No instance with ID '${segments[1]}' found.`);
    const id = flag(query, "restartwithnewinstanceid", true) ? randomBytes(16).toString("hex") : row.id;
    const isStarted = operations.start({ id, name: row.name, version: row.version, input: store.input(row.id) });
    if (!isStarted) throw new Refusal(409, `An Orchestration instance with the status ${row.status} already exists.`);
    return accepted(id, links);
  }

  function readEntity({ segments }: Call): Answer {
    const entity = store.entity(entityOf(segments));
    if (entity === undefined) return { status: 404 };
    return { status: 200, body: entity.state === null ? null : JSON.parse(entity.state) };
  }

  function listEntities({ segments, query }: Call): Answer {
    const prefix = segments[1] === undefined || segments[1] === "" ? "@" : `@${segments[1].toLowerCase()}@`;
    const withState = flag(query, "fetchstate");
    const body = store.entities(prefix, Number(query.get("top") ?? 100)).map(({ id, state, updated }) => ({
      entityId: parseEntityId(id),
      lastOperationTime: new Date(updated).toISOString(),
      ...(withState ? { state: state === null ? null : JSON.parse(state) } : {}),
    }));
    return { status: 200, headers: { [tokenHeader]: "" }, body };
  }

  async function signalEntity({ segments, query, body }: Call): Promise<Answer> {
    requireEntityFunction(segments[1] ?? "");
    const input = await body();
    if (input !== "") requireJson(input);
    operations.signalEntity(entityOf(segments), query.get("op") ?? "", input === "" ? undefined : input);
    return { status: 202 };
  }

  function deleteEntity({ segments }: Call): Answer {
    requireEntityFunction(segments[1] ?? "");
    operations.signalEntity(entityOf(segments), "delete", undefined);
    return { status: 202 };
  }

  function requireEntityFunction(name: string): void {
    if (catalog.find("entity", name) === undefined)
      throw new Refusal(404, `The function '${name}' doesn't exist, is disabled, or is not an entity function.`);
  }

  function requireInstance(id: string): InstanceRow {
    const row = store.instance(id);
    if (row === undefined) throw new Refusal(404, `No instance with ID '${id}' found.`);
    return row;
  }

  function route(method: string, segments: readonly string[]): ((call: Call) => Answer | Promise<Answer>) | undefined {
    const [kind, , verb] = segments.map((segment) => segment.toLowerCase());
    const depth = segments.length;
    const key = `${method} ${kind}${kind === "instances" && depth > 2 ? `/${verb}` : ""}`;
    const isOne = depth > 1 && segments[1] !== "";
    switch (key) {
      case "POST orchestrators":
        return depth <= 3 ? start : undefined;
      case "GET instances":
        return isOne ? getStatus : list;
      case "DELETE instances":
        return isOne ? purge : purgeMany;
      case "POST instances/raiseevent":
        return depth === 4 ? raiseEvent : undefined;
      case "POST instances/terminate":
      case "POST instances/suspend":
      case "POST instances/resume":
        return depth === 3 ? changeLife : undefined;
      case "POST instances/rewind":
        return rewind;
      case "POST instances/restart":
        return restart;
      case "GET entities":
        return depth === 3 ? readEntity : listEntities;
      case "POST entities":
        return depth === 3 ? signalEntity : undefined;
      case "DELETE entities":
        return depth === 3 ? deleteEntity : undefined;
      case "GET embedded":
        return segments[1] === "writes" ? () => ({ status: 200, body: { writes: store.writes() } }) : undefined;
      default:
        return undefined;
    }
  }

  return async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    url: URL,
    links: LinkParts,
  ): Promise<void> {
    try {
      const segments = path.split("/").map(decodeSegment);
      const answer = route(request.method ?? "", segments);
      if (answer === undefined) throw new Refusal(404, "there is no such operation");
      const query = new Map([...url.searchParams].map(([name, value]) => [name.toLowerCase(), value]));
      const body = () => readBody(request, maximumPayloadBytes);
      sendAnswer(response, await answer({ segments, query, headers: request.headers, body, links }));
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const isRefusal = error instanceof Refusal;
      const Message = isRefusal ? error.message : "Something went wrong while processing your request";
      const more = isRefusal
        ? {}
        : { ExceptionMessage: String(error), ExceptionType: "System.Exception", StackTrace: "" };
      sendAnswer(response, { status: isRefusal ? error.status : 500, body: { Message, ...more } });
    }
  };
}

function settle(outcome: Outcome, id: string | undefined, done: Answer): Answer {
  if (outcome === "missing") throw new Refusal(404, `No instance with ID '${id}' found.`);
  if (outcome === "ended") return { status: 410 };
  return done;
}

function entityOf(segments: readonly string[]): string {
  const [, name = "", key = ""] = segments;
  return toEntityId(name, key === "$" ? "" : key);
}

function readFilter(query: ReadonlyMap<string, string>): Omit<InstanceFilter, "top"> {
  const from = time(query, "createdtimefrom");
  const to = time(query, "createdtimeto");
  const wanted = query.get("runtimestatus");
  const prefix = query.get("instanceidprefix");
  return {
    ...(from === undefined ? {} : { createdFrom: from }),
    ...(to === undefined ? {} : { createdTo: to }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(wanted === undefined || wanted === "" ? {} : { statuses: wanted.split(",").map(readStatus) }),
  };
}

function readStatus(text: string): string {
  const status = statuses.find((each) => each.toLowerCase() === text.trim().toLowerCase());
  if (status === undefined) throw new Refusal(400, `'${text}' is no runtime status: one of ${statuses.join(", ")}`);
  return status;
}

function time(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined || text === "") return undefined;
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new Refusal(400, `'${text}' is no date`);
  return value;
}

/** @returns Milliseconds. */
function seconds(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= 0)) throw new Refusal(400, `${name} must be a number of seconds`);
  return value * 1000;
}

function flag(query: ReadonlyMap<string, string>, name: string, fallback = false): boolean {
  const text = query.get(name);
  return text === undefined ? fallback : text.toLowerCase() === "true";
}

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new Refusal(400, "Invalid JSON content");
  }
}

function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new Refusal(400, `'${text}' is no URL-encoded text`);
  }
}
