// Which messages of an inbox make the next episode. A suspended instance leaves everything but its resumption and its
// end where it is, in order.
import { EventType, type HistoryEvent } from "./events.ts";
import type { InboxRow, InstanceRow } from "./store.ts";

export interface Batch {
  /** In the order in which the orchestration sees them. */
  readonly events: readonly HistoryEvent[];
  /** Rows to delete when the episode is stored: those of the events and those of older executions. */
  readonly rows: readonly InboxRow[];
  readonly isSuspended: boolean;
  readonly termination: { readonly reason: string } | undefined;
}

/**
 * Chooses from an inbox.
 * @param shuffle Puts the events in another order; the start stays first.
 * @returns A batch; without events there is no episode.
 */
export function chooseBatch(
  instance: InstanceRow,
  inbox: readonly InboxRow[],
  shuffle?: (events: HistoryEvent[]) => void,
): Batch {
  const rows: InboxRow[] = [];
  const events: HistoryEvent[] = [];
  const parked: { row: InboxRow; event: HistoryEvent }[] = [];
  let isSuspended = instance.status === "Suspended";
  let termination: { reason: string } | undefined;
  const take = (row: InboxRow, event: HistoryEvent) => {
    rows.push(row);
    events.push(event);
  };
  for (const row of inbox) {
    if (row.executionId !== null && row.executionId !== instance.executionId) {
      rows.push(row);
      continue;
    }
    const event = JSON.parse(row.event) as HistoryEvent;
    if (event.EventType === EventType.ExecutionTerminated) {
      take(row, event);
      termination = { reason: event.Input };
      break;
    }
    if (event.EventType === EventType.ExecutionResumed) {
      take(row, event);
      isSuspended = false;
      for (const held of parked.splice(0)) take(held.row, held.event);
    } else if (isSuspended) parked.push({ row, event });
    else take(row, event);
    if (event.EventType === EventType.ExecutionSuspended) isSuspended = true;
  }
  shuffle?.(events);
  const start = events.findIndex((event) => event.EventType === EventType.ExecutionStarted);
  if (start > 0) events.unshift(...events.splice(start, 1));
  return { events, rows, isSuspended, termination };
}

/** Whether any of the events can make an orchestrator go on. */
export function hasNews(events: readonly HistoryEvent[]): boolean {
  return events.some(
    (event) => event.EventType !== EventType.ExecutionSuspended && event.EventType !== EventType.ExecutionResumed,
  );
}

/** A repeatable shuffle (Fisher-Yates over a small linear congruential generator). */
export function createShuffle(seed: number): (events: HistoryEvent[]) => void {
  let state = seed >>> 0;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return (events) => {
    for (let last = events.length - 1; last > 0; last--) {
      const other = random(last + 1);
      [events[last], events[other]] = [events[other] as HistoryEvent, events[last] as HistoryEvent];
    }
  };
}
