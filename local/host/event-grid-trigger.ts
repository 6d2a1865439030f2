// Event Grid's webhook. Nothing is queued in between: the delivery is answered when every event has been handled.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FunctionMetadata, HostKeys, HostLog, TypedData, Worker } from "./contract.ts";
import { isInvocationFailure } from "./failure.ts";
import { answer, answerJson } from "./http-response.ts";
import { isOneOf, keyOf } from "./key-check.ts";
import { readBody } from "./request-body.ts";
import { toJsonData } from "./typed-data.ts";

export interface EventGridTriggerOptions {
  readonly worker: Worker;
  /** Only those with an Event Grid trigger that are enabled. */
  readonly functions: readonly FunctionMetadata[];
  readonly keys: HostKeys;
  readonly bodyLimitBytes: number;
  readonly log: HostLog;
}

/** @returns the handler of `/runtime/webhooks/EventGrid` */
export function createEventGridTrigger(options: EventGridTriggerOptions) {
  const functions = new Map(options.functions.map((metadata) => [metadata.name, metadata]));

  async function deliver(metadata: FunctionMetadata, events: readonly unknown[]): Promise<void> {
    const isMany = Object.values(metadata.bindings).some(
      ({ type, cardinality }) => isEventGrid(type) && cardinality === "many",
    );
    const inputs = isMany ? [events] : events;
    const outcomes = await Promise.allSettled(
      inputs.map((input) => options.worker.invoke(toRequest(metadata.name, input))),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  return async function handleEventGrid(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (!isOneOf(keyOf(request, url), [options.keys.system.eventgrid_extension, options.keys.master])) {
      answer(response, 401);
      return;
    }
    const functionName = url.searchParams.get("functionName") ?? "";
    const metadata = functions.get(functionName);
    if (metadata === undefined) {
      answer(response, 404, `cannot find function: '${functionName}'`);
      return;
    }
    switch (String(request.headers["aeg-event-type"] ?? "").toLowerCase()) {
      case "subscriptionvalidation": {
        const code = validationCodeOf(await readJson(request, options.bodyLimitBytes));
        if (code === undefined) answer(response, 400, "the validation event has no data.validationCode");
        else answerJson(response, 200, { validationResponse: code });
        return;
      }
      case "notification":
        try {
          await deliver(metadata, toEvents(await readJson(request, options.bodyLimitBytes)));
          answer(response, 202);
        } catch (error) {
          if (!isInvocationFailure(error)) throw error;
          options.log(
            "warning",
            "Host.Triggers.EventGrid",
            `A delivery to ${functionName} failed: Event Grid will send the whole of it again.`,
          );
          answer(response, 500, error.userMessage);
        }
        return;
      case "unsubscribe":
        answer(response, 202);
        return;
      default:
        answer(response, 400);
    }
  };
}

/** The trigger's data and metadata for one event (or the array, when the function takes many at once). */
export function toRequest(
  functionName: string,
  event: unknown,
): { functionName: string; trigger: TypedData; triggerMetadata: Record<string, TypedData> } {
  const data = isObject(event) ? event["data"] : undefined;
  return {
    functionName,
    trigger: toJsonData(event),
    triggerMetadata: { data: typeof data === "string" ? { string: data } : toJsonData(data) },
  };
}

function validationCodeOf(body: unknown): string | undefined {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  let data = isObject(first) ? first["data"] : undefined;
  // A CloudEvent carries its data as text.
  if (typeof data === "string") data = JSON.parse(data) as unknown;
  const code = isObject(data) ? data["validationCode"] : undefined;
  return typeof code === "string" ? code : undefined;
}

function toEvents(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  if (isObject(body)) return [body];
  throw new Error("An Event Grid notification must be an array of events or one event.");
}

async function readJson(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  return JSON.parse((await readBody(request, limitBytes)).toString("utf8")) as unknown;
}

function isEventGrid(type: string): boolean {
  return type.toLowerCase() === "eventgridtrigger";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object";
}
