// The history of an orchestration in the words of the Durable Task framework: PascalCase fields, types as numbers.

export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

export type EventTypeName = keyof typeof EventType;

interface ParentInstance {
  readonly Name: string;
  readonly Version: string;
  readonly TaskScheduleId: number;
  readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
}

export interface FailureDetails {
  readonly ErrorType: string;
  readonly ErrorMessage: string;
  readonly StackTrace: string | null;
  readonly IsNonRetriable: boolean;
  readonly Properties: Record<string, unknown> | null;
  readonly InnerFailure: FailureDetails | null;
}

interface EventFields {
  ExecutionStarted: {
    readonly Name: string;
    readonly Version: string;
    /** JSON text. */
    readonly Input: string | null;
    readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
    readonly ParentInstance: ParentInstance | null;
    readonly Tags: null;
    readonly Correlation: null;
    readonly ScheduledStartTime: null;
    readonly Generation: number;
  };
  ExecutionCompleted: {
    readonly OrchestrationStatus: string;
    readonly Result: string | null;
    readonly FailureDetails: null;
  };
  ExecutionTerminated: { readonly Input: string };
  TaskScheduled: { readonly Name: string; readonly Version: string; readonly Input: null };
  TaskCompleted: { readonly TaskScheduledId: number; readonly Result: string | null };
  TaskFailed: TaskFailure;
  SubOrchestrationInstanceCreated: {
    readonly Name: string;
    readonly Version: string;
    readonly InstanceId: string;
    readonly Input: null;
  };
  SubOrchestrationInstanceCompleted: { readonly TaskScheduledId: number; readonly Result: string | null };
  SubOrchestrationInstanceFailed: TaskFailure;
  TimerCreated: { readonly FireAt: string };
  TimerFired: { readonly TimerId: number; readonly FireAt: string };
  OrchestratorStarted: object;
  OrchestratorCompleted: object;
  EventSent: { readonly InstanceId: string; readonly Name: string; readonly Input: string };
  EventRaised: { readonly Name: string; readonly Input: string | null };
  ExecutionSuspended: { readonly Reason: string };
  ExecutionResumed: { readonly Reason: string };
}

interface TaskFailure {
  readonly TaskScheduledId: number;
  readonly Reason: string;
  readonly Details: string;
  readonly FailureDetails: FailureDetails | null;
}

export type HistoryEventOf<Name extends EventTypeName> = {
  readonly EventType: (typeof EventType)[Name];
  /** The sequence id for what the orchestrator scheduled, -1 for everything else. */
  readonly EventId: number;
  /** Whether an earlier episode has processed it. */
  readonly IsPlayed: boolean;
  /** ISO 8601, UTC, milliseconds. */
  readonly Timestamp: string;
} & EventFields[Name];

export type HistoryEvent = { [Name in EventTypeName]: HistoryEventOf<Name> }[EventTypeName];

/**
 * A new event, not played yet. `IsPlayed` stays in front of anything a user wrote: `markPlayed` relies on it.
 * @param now Milliseconds since the epoch.
 */
export function historyEvent<Name extends EventTypeName>(
  type: Name,
  now: number,
  fields: EventFields[Name],
  eventId = -1,
): HistoryEventOf<Name> {
  return {
    EventType: EventType[type],
    EventId: eventId,
    IsPlayed: false,
    Timestamp: new Date(now).toISOString(),
    ...fields,
  };
}

/** The JSON text of an event after its episode, from its text before, without parsing it again. */
export function markPlayed(text: string): string {
  return text.replace('"IsPlayed":false', '"IsPlayed":true');
}

/** The name of an event's type, as the management API shows it. */
export function eventTypeName(event: HistoryEvent): EventTypeName {
  return typeNames.get(event.EventType) ?? "OrchestratorStarted";
}

const typeNames = new Map<number, EventTypeName>(
  (Object.keys(EventType) as EventTypeName[]).map((name) => [EventType[name], name]),
);
