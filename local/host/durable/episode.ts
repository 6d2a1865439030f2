// One episode: what a history, its new messages and the function's action list make together. Pure; the engine stores
// what comes out. The walk is the Durable Task framework's, because the library's ids line up with no other.
import type { OrchestratorState } from "./actions.ts";
import { EventType, type HistoryEvent, type HistoryEventOf, historyEvent } from "./events.ts";
import { type OrchestrationFailure, Refused, WouldHang, orchestrationFailure } from "./failures.ts";
import { type Execution, type Message, type ReplayRules, createTasks } from "./tasks.ts";

export interface EpisodeInput extends Execution {
  readonly name: string;
  /** Events of earlier episodes. */
  readonly past: readonly HistoryEvent[];
  /** `OrchestratorStarted` of this episode, then the messages that woke it. */
  readonly fresh: readonly HistoryEvent[];
  readonly state: OrchestratorState;
  /** Set when the function threw. */
  readonly thrown?: { readonly stack: string };
}

export type EpisodeEnd =
  | { readonly status: "Completed"; readonly output: string }
  | { readonly status: "Failed"; readonly failure: OrchestrationFailure }
  | { readonly status: "Terminated"; readonly reason: string }
  | {
      readonly status: "ContinuedAsNew";
      readonly input: string;
      readonly carryOver: readonly HistoryEventOf<"EventRaised">[];
    };

export interface EpisodeOutcome {
  /** To append after the fresh ones, in order. */
  readonly events: readonly HistoryEvent[];
  readonly messages: readonly Message[];
  /** Undefined while the instance goes on. */
  readonly end: EpisodeEnd | undefined;
  /** JSON text, null when the function set none, absent when it was not asked. */
  readonly customStatus?: string | null;
  readonly warnings: readonly string[];
}

/** Bytes of UTF-16; the cloud fails the instance above. */
const maximumCustomStatus = 16 * 1024;

/**
 * Replays a history against an action list.
 * @returns What is new. A rule broken by the app ends the instance as Failed with a text that says which.
 */
export function replayEpisode(input: EpisodeInput, rules: ReplayRules): EpisodeOutcome {
  const now = clockOf(input.fresh);
  try {
    return replay(input, rules, now);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return failEpisode(input.name, error.message, error.stack ?? "", now);
  }
}

/** The outcome of an episode that fails whatever its history holds. */
export function failEpisode(name: string, message: string, stack: string, now: number): EpisodeOutcome {
  const failure = orchestrationFailure(name, message, stack);
  return {
    events: [completed(now, -1, "Failed", failure.output), historyEvent("OrchestratorCompleted", now, {})],
    messages: [],
    end: { status: "Failed", failure },
    warnings: [],
  };
}

/** The outcome of a termination: nothing is waited for, and nothing that runs is stopped. */
export function terminateEpisode(reason: string, now: number): EpisodeOutcome {
  return {
    events: [completed(now, -1, "Terminated", reason), historyEvent("OrchestratorCompleted", now, {})],
    messages: [],
    end: { status: "Terminated", reason },
    warnings: [],
  };
}

/** The outcome of an episode in which nothing can have settled. */
export function idleEpisode(now: number): EpisodeOutcome {
  return { events: [historyEvent("OrchestratorCompleted", now, {})], messages: [], end: undefined, warnings: [] };
}

function replay(input: EpisodeInput, rules: ReplayRules, now: number): EpisodeOutcome {
  const { state } = input;
  const customStatus = readCustomStatus(state.customStatus);
  const tasks = createTasks(input, rules);
  const list = createList(state, tasks.start);
  const walk = (event: HistoryEvent) => {
    switch (event.EventType) {
      case EventType.OrchestratorStarted:
        return tasks.setClock(Date.parse(event.Timestamp));
      case EventType.ExecutionStarted:
        return list.advance();
      case EventType.TaskScheduled:
      case EventType.SubOrchestrationInstanceCreated:
      case EventType.EventSent:
        return tasks.confirm(event, event.Name);
      case EventType.TimerCreated:
        return tasks.confirm(event, "");
      case EventType.TaskCompleted:
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceCompleted:
      case EventType.SubOrchestrationInstanceFailed:
        return tasks.settle(event.TaskScheduledId, event);
      case EventType.TimerFired:
        return tasks.settle(event.TimerId, event);
      case EventType.EventRaised:
        return tasks.raise(event);
      case EventType.ExecutionCompleted:
      case EventType.ExecutionTerminated:
      case EventType.ExecutionSuspended:
      case EventType.ExecutionResumed:
      case EventType.OrchestratorCompleted:
        return undefined;
    }
  };
  for (const event of input.past) walk(event);
  for (const event of input.fresh) walk(event);

  const scheduled = tasks.unconfirmed();
  const events: HistoryEvent[] = scheduled.map((task) => task.toEvent(now));
  const messages = scheduled.map((task) => task.toMessage());
  // An uncanceled timer or a losing activity keeps the instance Running until it ends, as in the cloud.
  const end =
    list.isExhausted() && !tasks.hasOpen() ? conclude(input, tasks.continued(), tasks.carryOver, rules) : undefined;
  if (end === undefined && list.isExhausted() && !tasks.mayWake()) {
    throw new WouldHang(
      "the orchestrator waits for something that was never scheduled: a canceled timer, or tasks that had ended before they were put into Task.any or Task.all",
    );
  }
  if (end?.status === "Completed") events.push(completed(now, tasks.takeId(), end.status, end.output));
  if (end?.status === "Failed") events.push(completed(now, tasks.takeId(), end.status, end.failure.output));
  events.push(historyEvent("OrchestratorCompleted", now, {}));
  return { events, messages, end, customStatus, warnings: [...tasks.warnings] };
}

/** Action k + 1 starts only when action k has settled; failed counts as settled. */
function createList(
  { actions }: OrchestratorState,
  start: (action: OrchestratorState["actions"][number], settled: () => void) => void,
) {
  let next = 0;
  let isSettled = true;
  let isAdvancing = false;
  const advance = (): void => {
    if (isAdvancing) return;
    isAdvancing = true;
    for (let action = actions[next]; isSettled && action !== undefined; action = actions[next]) {
      next += 1;
      isSettled = false;
      start(action, () => {
        isSettled = true;
        advance();
      });
    }
    isAdvancing = false;
  };
  return { advance, isExhausted: () => isSettled && next === actions.length };
}

function conclude(
  { name, state, thrown }: EpisodeInput,
  continued: { input: unknown } | undefined,
  carryOver: readonly HistoryEventOf<"EventRaised">[],
  rules: ReplayRules,
): EpisodeEnd | undefined {
  if (thrown !== undefined) {
    if (state.error === undefined || state.error === "") {
      throw new WouldHang("the orchestrator threw something without a message: throw an Error with a text");
    }
    return { status: "Failed", failure: orchestrationFailure(name, state.error, thrown.stack) };
  }
  if (!state.isDone) return undefined;
  if (continued !== undefined) {
    return {
      status: "ContinuedAsNew",
      input: bounded(continued.input, "the input of continueAsNew", rules),
      carryOver,
    };
  }
  return { status: "Completed", output: bounded(state.output, "the output", rules) };
}

function bounded(value: unknown, what: string, rules: ReplayRules): string {
  const text = JSON.stringify(value ?? null);
  if (text.length <= rules.maximumPayloadBytes) return text;
  throw new Refused(
    `${what} has ${text.length} characters, more than ${rules.maximumPayloadBytes}: pass a reference instead`,
  );
}

function readCustomStatus(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value);
  const bytes = 2 * text.length;
  if (bytes <= maximumCustomStatus) return text;
  throw new Refused(
    `the size of the UTF-16-encoded JSON-serialized custom status must not exceed 16 KB; it has ${Math.ceil(bytes / 1024)} KB`,
  );
}

function completed(
  now: number,
  id: number,
  status: "Completed" | "Failed" | "Terminated",
  result: string,
): HistoryEvent {
  return historyEvent(
    "ExecutionCompleted",
    now,
    { OrchestrationStatus: status, Result: result, FailureDetails: null },
    id,
  );
}

function clockOf(fresh: readonly HistoryEvent[]): number {
  return Date.parse(fresh[0]?.Timestamp ?? "");
}
