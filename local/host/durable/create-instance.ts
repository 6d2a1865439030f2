import { randomBytes } from "node:crypto";

import { historyEvent } from "./events.ts";
import type { ParentLink, Store } from "./store.ts";

export interface NewInstance {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** JSON text. */
  readonly input: string | null;
  readonly parent: ParentLink | null;
}

export function newExecutionId(): string {
  return randomBytes(16).toString("hex");
}

/** Adds a Pending instance and its start message, in place of what an ended one of that id left. Call inside a write. */
export function createInstance(store: Store, { id, name, version, input, parent }: NewInstance, now: number): void {
  store.removeInstance(id);
  const executionId = newExecutionId();
  const pending = { status: "Pending", customStatus: null, isStatusWritten: false, output: null } as const;
  store.putInstance({ id, executionId, name, version, ...pending, created: now, updated: now, parent }, input);
  store.send(id, executionId, JSON.stringify(executionStarted({ id, name, version, input, parent }, executionId, now)));
}

/** The event that starts an execution. */
export function executionStarted({ id, name, version, input, parent }: NewInstance, executionId: string, now: number) {
  return historyEvent("ExecutionStarted", now, {
    Name: name,
    Version: version,
    Input: input,
    OrchestrationInstance: { InstanceId: id, ExecutionId: executionId },
    ParentInstance:
      parent === null
        ? null
        : {
            Name: parent.name,
            Version: "",
            TaskScheduleId: parent.taskId,
            OrchestrationInstance: { InstanceId: parent.instanceId, ExecutionId: parent.executionId },
          },
    Tags: null,
    Correlation: null,
    ScheduledStartTime: null,
    Generation: 0,
  });
}
