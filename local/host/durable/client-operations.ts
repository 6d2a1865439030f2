// What a client may ask of instances and entities. Each is at most one durable write; the effect comes with the next episode.
import { randomUUID } from "node:crypto";

import { createInstance } from "./create-instance.ts";
import type { EntityRequest } from "./entities.ts";
import { type EventTypeName, historyEvent } from "./events.ts";
import { type InstanceFilter, type InstanceRow, type Store, terminalStatuses } from "./store.ts";

export interface StartRequest {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** JSON text. */
  readonly input: string | null;
}

/** `missing`: no such instance; `ended`: it takes no messages any more; `refused`: its status does not allow it. */
export type Outcome = "done" | "missing" | "ended" | "refused";

export function createClientOperations(store: Store, wake: (id: string) => void) {
  const hasEnded = (row: InstanceRow) => terminalStatuses.has(row.status);

  function send(id: string, event: object, mayTake: (row: InstanceRow) => boolean = () => true): Outcome {
    const row = store.instance(id);
    if (row === undefined) return "missing";
    if (hasEnded(row)) return "ended";
    if (!mayTake(row)) return "refused";
    store.write(() => store.send(id, null, JSON.stringify(event)));
    wake(id);
    return "done";
  }

  const lifecycle = (name: Extract<EventTypeName, "ExecutionSuspended" | "ExecutionResumed">, reason: string) =>
    historyEvent(name, Date.now(), { Reason: reason });

  function purge(row: InstanceRow): void {
    store.write(() => store.removeInstance(row.id));
  }

  return {
    /** @returns False when a living instance has the id. */
    start(request: StartRequest): boolean {
      const existing = store.instance(request.id);
      if (existing !== undefined && !hasEnded(existing)) return false;
      store.write(() => createInstance(store, { ...request, parent: null }, Date.now()));
      wake(request.id);
      return true;
    },

    /** @param input JSON text. */
    raiseEvent: (id: string, name: string, input: string): Outcome =>
      send(id, historyEvent("EventRaised", Date.now(), { Name: name, Input: input })),
    terminate: (id: string, reason: string): Outcome =>
      send(id, historyEvent("ExecutionTerminated", Date.now(), { Input: reason })),
    suspend: (id: string, reason: string): Outcome =>
      send(id, lifecycle("ExecutionSuspended", reason), (row) => row.status !== "Suspended"),
    resume: (id: string, reason: string): Outcome =>
      send(id, lifecycle("ExecutionResumed", reason), (row) => row.status === "Suspended"),

    purge(id: string): Outcome {
      const row = store.instance(id);
      if (row === undefined) return "missing";
      if (!hasEnded(row)) return "refused";
      purge(row);
      return "done";
    },

    /** @returns How many ended instances were removed. */
    purgeBy(filter: Omit<InstanceFilter, "top">): number {
      const rows = store.listInstances({ ...filter, top: Number.MAX_SAFE_INTEGER }).filter(hasEnded);
      for (const row of rows) purge(row);
      return rows.length;
    },

    /** @param entityId `@name@key`; @param input JSON text. */
    signalEntity(entityId: string, operation: string, input: string | undefined): void {
      const request: EntityRequest = {
        op: operation,
        signal: true,
        id: randomUUID(),
        ...(input === undefined ? {} : { input }),
      };
      store.write(() => store.send(entityId, null, JSON.stringify(request)));
      wake(entityId);
    },
  };
}
