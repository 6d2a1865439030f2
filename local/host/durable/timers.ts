// Durable timers: one wake-up for the earliest, all that are due in one durable write.
import { historyEvent } from "./events.ts";
import type { Store } from "./store.ts";

/** A machine that sleeps stops the clock behind setTimeout: while a timer is pending, look at the real one this often. */
const maximumDelayMs = 60_000;

export function createTimers(store: Store, wake: (instanceId: string) => void) {
  let handle: NodeJS.Timeout | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  let isStopped = false;

  function arm(): void {
    const due = store.nextDue();
    if (isStopped || due === undefined || due >= armedFor) return;
    clearTimeout(handle);
    armedFor = due;
    handle = setTimeout(fire, Math.min(Math.max(due - Date.now(), 0), maximumDelayMs));
  }

  function fire(): void {
    armedFor = Number.POSITIVE_INFINITY;
    const now = Date.now();
    const due = store.dueTimers(now);
    if (due.length > 0) {
      store.write(() => {
        for (const timer of due) {
          store.removeTimer(timer.seq);
          const event = historyEvent("TimerFired", now, {
            TimerId: timer.timerId,
            FireAt: new Date(timer.due).toISOString(),
          });
          store.send(timer.instanceId, timer.executionId, JSON.stringify(event));
        }
      });
      for (const { instanceId } of due) wake(instanceId);
    }
    arm();
  }

  return {
    /** Call after timers were added. */
    arm,
    stop(): void {
      isStopped = true;
      clearTimeout(handle);
    },
  };
}
