// The dispatch loop: whatever a durable write gives somebody to do is done at once, in process, without polling.
import type { HostLog, Worker } from "../contract.ts";
import { createActivities } from "./activities.ts";
import { createCatalog } from "./catalog.ts";
import { createClientOperations } from "./client-operations.ts";
import { createEntities } from "./entities.ts";
import type { DurableOptions } from "./options.ts";
import { createOrchestrations } from "./orchestrations.ts";
import { createReadyQueue } from "./ready-queue.ts";
import type { Store } from "./store.ts";
import { createTimers } from "./timers.ts";

export interface EngineParts {
  readonly store: Store;
  readonly worker: Worker;
  readonly options: DurableOptions;
  readonly log: HostLog;
}

export type Engine = ReturnType<typeof createEngine>;

const maximumBackoffMs = 10 * 60 * 1000;

export function createEngine({ store, worker, options, log }: EngineParts) {
  const catalog = createCatalog(worker);
  const queue = createReadyQueue(options.maxConcurrentOrchestratorFunctions, run);
  const retries = new Map<string, number>();
  const backoffs = new Set<NodeJS.Timeout>();
  let closed = false;
  const isClosed = () => closed;
  const parts = { store, worker, catalog, options, log, isClosed, wake: queue.wake };
  const activities = createActivities(parts);
  const timers = createTimers(store, queue.wake);
  const { runEntity } = createEntities({ ...parts, batchSize: options.maxEntityOperationBatchSize });
  const { runEpisode } = createOrchestrations({
    ...parts,
    bell: { instance: queue.wake, activities: activities.wake, timers: timers.arm },
  });

  /** What fails here is the machine (a full disk, say), never the app: it is tried again, for ever, ever more slowly. */
  async function run(id: string): Promise<void> {
    try {
      await (id.startsWith("@") ? runEntity(id) : runEpisode(id));
      retries.delete(id);
    } catch (error) {
      if (closed) return;
      const retry = retries.get(id) ?? 0;
      retries.set(id, retry + 1);
      const delayMs = Math.min(1000 * 2 ** retry, maximumBackoffMs);
      log(
        "critical",
        "Host.Triggers.DurableTask",
        `${id}: an episode could not be stored, next try in ${delayMs / 1000} s: ${String(error)}`,
      );
      const handle = setTimeout(() => {
        backoffs.delete(handle);
        queue.wake(id);
      }, delayMs);
      backoffs.add(handle);
    }
  }

  return {
    catalog,
    operations: createClientOperations(store, queue.wake),

    /** Takes up what the last process left: messages, activities without a result, timers. */
    start(): void {
      for (const id of store.waiting()) queue.wake(id);
      activities.wake();
      timers.arm();
    },

    /** Lets what runs end for up to `graceMs`; results after that are dropped and the work is done again at the next start. */
    async stop(graceMs: number): Promise<void> {
      timers.stop();
      for (const handle of backoffs) clearTimeout(handle);
      const { promise: expired, resolve } = Promise.withResolvers<void>();
      const grace = setTimeout(resolve, graceMs);
      await Promise.race([Promise.all([queue.stop(), activities.stop()]), expired]);
      clearTimeout(grace);
      closed = true;
      store.close();
    },
  };
}
