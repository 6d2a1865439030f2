// Runs activities from their table, in order, a bounded number at a time. A row goes only together with the message
// that carries its result, so an activity cut off by a crash runs again.
import type { HostLog, Worker } from "../contract.ts";
import type { HttpRequestAction } from "./actions.ts";
import type { Catalog } from "./catalog.ts";
import { historyEvent } from "./events.ts";
import { Refused, activityFailure } from "./failures.ts";
import { callHttpActivity } from "./http-activity.ts";
import type { DurableOptions } from "./options.ts";
import type { ActivityRow, Store } from "./store.ts";
import { httpActivityName } from "./tasks.ts";
import { toActivityData, toResultText } from "./typed-data.ts";

export interface ActivityParts {
  readonly store: Store;
  readonly worker: Worker;
  readonly catalog: Catalog;
  readonly options: DurableOptions;
  readonly wake: (instanceId: string) => void;
  readonly log: HostLog;
  readonly isClosed: () => boolean;
}

export function createActivities({ store, worker, catalog, options, wake, log, isClosed }: ActivityParts) {
  const running = new Set<Promise<void>>();
  let last = 0;
  let isPumpPlanned = false;
  let isStopped = false;

  function pump(): void {
    isPumpPlanned = false;
    const free = options.maxConcurrentActivityFunctions - running.size;
    if (isStopped || free <= 0) return;
    for (const row of store.activitiesAfter(last, free)) {
      last = row.seq;
      const run = runActivity(row).finally(() => {
        running.delete(run);
        plan();
      });
      running.add(run);
    }
  }

  function plan(): void {
    if (isPumpPlanned || isStopped) return;
    isPumpPlanned = true;
    setImmediate(pump);
  }

  async function runActivity(row: ActivityRow): Promise<void> {
    const event = await settle(row);
    if (isClosed()) return;
    try {
      store.write(() => {
        store.removeActivity(row.seq);
        store.send(row.instanceId, row.executionId, JSON.stringify(event));
      });
      wake(row.instanceId);
    } catch (error) {
      log(
        "critical",
        "Host.Triggers.DurableTask",
        `the result of activity '${row.name}' cannot be stored, it will run again: ${String(error)}`,
      );
    }
  }

  async function settle(row: ActivityRow) {
    try {
      if (options.switches.duplicateActivityDelivery === true) await callActivity(row).catch(() => undefined);
      const result = await callActivity(row);
      if (result.length > options.maximumPayloadBytes) {
        throw new Refused(
          `its result has ${result.length} characters, more than ${options.maximumPayloadBytes}: return a reference instead`,
        );
      }
      return historyEvent("TaskCompleted", Date.now(), { TaskScheduledId: row.taskId, Result: result });
    } catch (error) {
      return historyEvent("TaskFailed", Date.now(), {
        TaskScheduledId: row.taskId,
        ...activityFailure(row.name, error),
      });
    }
  }

  /** @returns The result as JSON text. */
  async function callActivity(row: ActivityRow): Promise<string> {
    const input: unknown = JSON.parse(row.input);
    if (row.name === httpActivityName) return JSON.stringify(await callHttpActivity(input as HttpRequestAction));
    const activity = catalog.find("activity", row.name);
    if (activity === undefined) throw new Error(`the function '${row.name}' is no longer there`);
    const data = toActivityData(input);
    const { returnValue } = await worker.invoke({
      functionName: activity.name,
      trigger: data,
      triggerMetadata: { instanceId: { string: row.instanceId }, data: { json: row.input }, [activity.binding]: data },
    });
    return toResultText(returnValue);
  }

  return {
    wake: plan,
    /** Starts nothing more; resolves when what runs has ended. */
    async stop(): Promise<void> {
      isStopped = true;
      await Promise.all(running);
    },
  };
}
