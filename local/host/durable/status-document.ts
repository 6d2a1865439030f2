// An instance as the management API shows it.
import { EventType, type HistoryEvent, eventTypeName } from "./events.ts";
import type { InstanceRow } from "./store.ts";

export interface StatusDocument {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly customStatus: unknown;
  readonly output: unknown;
  /** ISO 8601 in whole seconds, as the lines after. */
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly historyEvents?: readonly Record<string, unknown>[];
}

/**
 * @param input JSON text, or null to leave it out.
 * @param history The events to show, absent unless asked for.
 */
export function toStatusDocument(
  row: InstanceRow,
  input: string | null,
  history?: readonly Record<string, unknown>[],
): StatusDocument {
  return {
    name: row.name,
    instanceId: row.id,
    runtimeStatus: row.status,
    input: parseOrText(input),
    customStatus: parseOrText(row.customStatus),
    output: parseOrText(row.output),
    createdTime: toSeconds(row.created),
    lastUpdatedTime: toSeconds(row.updated),
    ...(history === undefined ? {} : { historyEvents: history }),
  };
}

/** The history for people: scheduled and ended events merged, no ids, results only when asked for. */
export function toShownHistory(
  events: readonly HistoryEvent[],
  { withOutput }: { withOutput: boolean },
): Record<string, unknown>[] {
  const open = new Map<number, Record<string, unknown>>();
  const shown: Record<string, unknown>[] = [];
  const result = (text: string | null) => (withOutput ? { Result: parseOrText(text) } : {});
  const end = (id: number, event: HistoryEvent, fields: Record<string, unknown>) => {
    const scheduled = open.get(id);
    open.delete(id);
    const merged = { EventType: eventTypeName(event), Timestamp: event.Timestamp, ...fields };
    if (scheduled === undefined) return void shown.push(merged);
    const { EventType: _, Timestamp: ScheduledTime, ...kept } = scheduled;
    shown[shown.indexOf(scheduled)] = { ...kept, ScheduledTime, ...merged };
  };
  for (const event of events) {
    const entry: Record<string, unknown> = { EventType: eventTypeName(event), Timestamp: event.Timestamp };
    switch (event.EventType) {
      case EventType.OrchestratorStarted:
      case EventType.OrchestratorCompleted:
        continue;
      case EventType.ExecutionStarted:
        shown.push({ ...entry, FunctionName: event.Name });
        continue;
      case EventType.ExecutionCompleted:
        shown.push({ ...entry, OrchestrationStatus: event.OrchestrationStatus, ...result(event.Result) });
        continue;
      case EventType.TaskScheduled:
      case EventType.SubOrchestrationInstanceCreated:
      case EventType.TimerCreated: {
        const what =
          event.EventType === EventType.TimerCreated ? { FireAt: event.FireAt } : { FunctionName: event.Name };
        const child =
          event.EventType === EventType.SubOrchestrationInstanceCreated ? { InstanceId: event.InstanceId } : {};
        const scheduled = { ...entry, ...what, ...child };
        open.set(event.EventId, scheduled);
        shown.push(scheduled);
        continue;
      }
      case EventType.TaskCompleted:
      case EventType.SubOrchestrationInstanceCompleted:
        end(event.TaskScheduledId, event, result(event.Result));
        continue;
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceFailed:
        end(event.TaskScheduledId, event, { Reason: event.Reason, ...(withOutput ? { Details: event.Details } : {}) });
        continue;
      case EventType.TimerFired:
        end(event.TimerId, event, { FireAt: event.FireAt });
        continue;
      case EventType.EventSent:
      case EventType.EventRaised:
        shown.push({ ...entry, Name: event.Name, ...(withOutput ? { Input: parseOrText(event.Input) } : {}) });
        continue;
      case EventType.ExecutionTerminated:
        shown.push({ ...entry, Input: event.Input });
        continue;
      case EventType.ExecutionSuspended:
      case EventType.ExecutionResumed:
        shown.push({ ...entry, Reason: event.Reason });
    }
  }
  return shown;
}

/** Text that is not JSON (a failure, a reason) is shown as a string. */
function parseOrText(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
