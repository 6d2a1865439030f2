// Durable entities: a state with one batch of operations at a time. Locks are not offered; the protocol version sent to
// orchestrators says so, and the library refuses `lock()` by itself.
import type { HostLog, Worker } from "../contract.ts";
import type { Catalog } from "./catalog.ts";
import { historyEvent } from "./events.ts";
import { dotNetException, textOf } from "./failures.ts";
import { parseEntityId, toEntityId } from "./instance-id.ts";
import type { Store } from "./store.ts";

/** A message to an entity, as orchestrators record it in their history. */
export interface EntityRequest {
  readonly op: string;
  readonly signal?: boolean;
  /** JSON text. */
  readonly input?: string;
  readonly id: string;
  readonly parent?: string;
  readonly parentExecution?: string;
}

interface OperationResult {
  readonly isError: boolean;
  /** JSON text. */
  readonly result?: string;
}

interface EntityAnswer {
  readonly entityExists: boolean;
  /** JSON text. */
  readonly entityState?: string | null;
  readonly results: readonly OperationResult[];
  readonly signals: readonly {
    readonly target: { name: string; key: string };
    readonly name: string;
    readonly input: string;
    readonly requestId: string;
  }[];
}

export interface EntityParts {
  readonly store: Store;
  readonly worker: Worker;
  readonly catalog: Catalog;
  readonly batchSize: number;
  readonly wake: (id: string) => void;
  readonly log: HostLog;
  readonly isClosed: () => boolean;
}

export function createEntities({ store, worker, catalog, batchSize, wake, log, isClosed }: EntityParts) {
  /** Runs what waits in an entity's inbox. */
  async function runEntity(id: string): Promise<void> {
    const self = parseEntityId(id);
    const inbox = store.inbox(id);
    const rows = inbox.slice(0, batchSize);
    if (self === undefined || rows.length === 0) return;
    const requests = rows.map(({ event }) => JSON.parse(event) as EntityRequest);
    const before = store.entity(id);
    const answer = await operate(self, before?.state ?? null, before !== undefined, requests);
    if (isClosed()) return;
    const woken = new Set<string>();
    store.write(() => {
      store.consume(rows);
      if (answer.entityExists) store.putEntity(id, answer.entityState ?? null, Date.now());
      else store.removeEntity(id);
      for (const [index, request] of requests.entries()) respond(request, answer.results[index], woken);
      for (const signal of answer.signals) {
        const target = toEntityId(signal.target.name, signal.target.key);
        const request: EntityRequest = {
          op: signal.name,
          signal: true,
          id: signal.requestId,
          ...(signal.input === "" ? {} : { input: signal.input }),
        };
        store.send(target, null, JSON.stringify(request));
        woken.add(target);
      }
    });
    if (inbox.length > rows.length) woken.add(id);
    for (const each of woken) wake(each);
  }

  async function operate(
    self: { name: string; key: string },
    state: string | null,
    exists: boolean,
    requests: readonly EntityRequest[],
  ): Promise<EntityAnswer> {
    const entity = catalog.find("entity", self.name);
    const batch = requests.map(({ op, input, signal }) => ({
      name: op,
      input: input ?? null,
      isSignal: signal === true,
    }));
    try {
      if (entity === undefined)
        throw new Error(`The function '${self.name}' doesn't exist, is disabled, or is not an entity function.`);
      const text = JSON.stringify({ self, exists, state, batch });
      const { returnValue } = await worker.invoke({ functionName: entity.name, trigger: { string: text } });
      const answer = JSON.parse(returnValue?.json ?? returnValue?.string ?? "null") as EntityAnswer | null;
      if (answer?.results?.length !== requests.length) {
        throw new Error(
          `entity '${self.name}' gave ${answer?.results?.length ?? 0} results for ${requests.length} operations: call return once in each`,
        );
      }
      return answer;
    } catch (error) {
      const { message } = textOf(error);
      log("error", "Host.Triggers.DurableTask", `${toEntityId(self.name, self.key)}: ${message}`);
      const results = requests.map(() => ({ isError: true, result: JSON.stringify(message) }));
      return { entityExists: exists, entityState: state, results, signals: [] };
    }
  }

  function respond(request: EntityRequest, result: OperationResult | undefined, woken: Set<string>): void {
    if (request.signal === true || request.parent === undefined) return;
    const failed =
      result?.isError === true
        ? { exceptionType: "System.Exception", exception: dotNetException(result.result ?? "", "") }
        : {};
    const Input = JSON.stringify({ ...(result?.result === undefined ? {} : { result: result.result }), ...failed });
    const event = historyEvent("EventRaised", Date.now(), { Name: request.id, Input });
    store.send(request.parent, request.parentExecution ?? null, JSON.stringify(event));
    woken.add(request.parent);
  }

  return { runEntity };
}
