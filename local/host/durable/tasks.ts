// The durable tasks behind an action list. Every task that gets a sequence id gets it here, in the order in which the
// library counts; one id too many or too few and results reach the wrong task.
import {
  type Action,
  ActionType,
  type CallSubOrchestrator,
  type CreateTimer,
  type EntityAction,
  type HttpRequestAction,
  type RetryOptions,
} from "./actions.ts";
import { EventType, type HistoryEvent, type HistoryEventOf, historyEvent } from "./events.ts";
import { NonDeterministic, Refused, WouldHang } from "./failures.ts";
import { checkRetry, retryDelay } from "./retry-options.ts";
import { deterministicGuid, instanceIdRule, isInstanceId } from "./instance-id.ts";

/** What an orchestration wants sent once its episode is stored. */
export type Message =
  | { readonly kind: "activity"; readonly taskId: number; readonly name: string; readonly input: string }
  | { readonly kind: "timer"; readonly timerId: number; readonly due: number }
  | {
      readonly kind: "child";
      readonly taskId: number;
      readonly instanceId: string;
      readonly name: string;
      readonly version: string;
      readonly input: string;
    }
  | { readonly kind: "entity"; readonly target: string; readonly request: string };

export interface ReplayRules {
  hasFunction(kind: "activity" | "orchestration" | "entity", name: string): boolean;
  readonly maximumShortTimerMs: number;
  readonly longTimerIntervalMs: number;
  readonly httpSleepMs: number;
  readonly maximumPayloadBytes: number;
}

export interface Execution {
  readonly instanceId: string;
  readonly executionId: string;
  readonly parentInstanceId: string | null;
}

type Settling =
  | Extract<HistoryEvent, { TaskScheduledId: number } | { TimerId: number }>
  | HistoryEventOf<"EventRaised">;
type Settled = (event?: Settling) => void;

/** A task that history has not confirmed yet. Event and message are made only if it turns out to be new. */
interface Scheduled {
  readonly type: number;
  readonly name: string;
  toEvent(now: number): HistoryEvent;
  toMessage(): Message;
}

export const httpActivityName = "BuiltIn::HttpActivity";
const maximumActions = 100_000;

/** Starts actions and settles them from history. All callbacks run synchronously, as the framework's continuations do. */
export function createTasks(execution: Execution, rules: ReplayRules) {
  let now = 0;
  let nextId = 0;
  const pending = new Map<number, Scheduled>();
  const open = new Map<number, Settled>();
  const openActions = new Map<number, Action>();
  const openChildren = new Set<string>();
  const waits = new Map<string, { name: string; settled: Settled }[]>();
  const buffered = new Map<string, HistoryEventOf<"EventRaised">[]>();
  const carryOver: HistoryEventOf<"EventRaised">[] = [];
  const warnings = new Set<string>();
  let isCaseMixed = false;
  let continued: { input: unknown } | undefined;

  function schedule(settled: Settled | undefined, make: (id: number) => Scheduled): number {
    const id = nextId++;
    if (id >= maximumActions)
      throw new Refused(`more than ${maximumActions} actions in one execution: end it with continueAsNew`);
    pending.set(id, make(id));
    if (settled !== undefined) open.set(id, settled);
    return id;
  }

  function callActivity(name: string, input: unknown, settled: Settled): void {
    requireFunction("activity", name);
    schedule(settled, (id) => ({
      type: EventType.TaskScheduled,
      name,
      toEvent: (at) => historyEvent("TaskScheduled", at, { Name: name, Version: "", Input: null }, id),
      toMessage: () => ({
        kind: "activity",
        taskId: id,
        name,
        input: payload(input, `the input of activity '${name}'`),
      }),
    }));
  }

  function callChild(action: Omit<CallSubOrchestrator, "actionType">, settled: Settled): void {
    const { functionName: name, version = "", input } = action;
    requireFunction("orchestration", name);
    const given = action.instanceId === "" ? undefined : action.instanceId;
    if (given !== undefined) checkChildId(given);
    const done: Settled = (event) => {
      if (given !== undefined) openChildren.delete(given);
      settled(event);
    };
    if (given !== undefined) openChildren.add(given);
    schedule(done, (id) => {
      const instanceId = given ?? `${execution.executionId}:${id}`;
      return {
        type: EventType.SubOrchestrationInstanceCreated,
        name,
        toEvent: (at) =>
          historyEvent(
            "SubOrchestrationInstanceCreated",
            at,
            { Name: name, Version: version, InstanceId: instanceId, Input: null },
            id,
          ),
        toMessage: () => ({
          kind: "child",
          taskId: id,
          instanceId,
          name,
          version,
          input: payload(input, `the input of sub-orchestration '${name}'`),
        }),
      };
    });
  }

  function checkChildId(id: string): void {
    const same = (other: string | null) => other !== null && id.toLowerCase() === other.toLowerCase();
    if (same(execution.instanceId) || same(execution.parentInstanceId)) {
      throw new WouldHang(`a sub-orchestration may not have its parent's id, '${id}'`);
    }
    if (!isInstanceId(id)) throw new Refused(`'${id}' is no id for a sub-orchestration: ${instanceIdRule}`);
    if (openChildren.has(id)) {
      throw new WouldHang(
        `sub-orchestration '${id}' is scheduled again while it runs: durable-functions sends a task again when it is put into another Task.any or Task.all`,
      );
    }
  }

  function startTimer(due: number, settled: Settled): number {
    return schedule(settled, (id) => ({
      type: EventType.TimerCreated,
      name: "",
      toEvent: (at) => historyEvent("TimerCreated", at, { FireAt: new Date(due).toISOString() }, id),
      toMessage: () => ({ kind: "timer", timerId: id, due }),
    }));
  }

  function createTimer(action: CreateTimer, settled: Settled): void {
    const fireAt = Date.parse(action.fireAt);
    if (Number.isNaN(fireAt)) throw new WouldHang(`a timer's time, ${JSON.stringify(action.fireAt)}, is no date`);
    const isLong = fireAt - now > rules.maximumShortTimerMs;
    const hop = (due: number): number =>
      startTimer(due, () => {
        const left = fireAt - now;
        if (left <= 0) settled();
        else hop(now + Math.min(left, rules.longTimerIntervalMs));
      });
    const id = isLong ? hop(now + rules.longTimerIntervalMs) : startTimer(fireAt, settled);
    if (action.isCanceled) {
      // The timer stays scheduled and its firing finds nobody; the cloud takes no timer back either.
      open.delete(id);
      settled();
    }
  }

  function withRetry(what: string, options: RetryOptions, attempt: (settled: Settled) => void, settled: Settled): void {
    checkRetry(what, options);
    let failures = 0;
    const tryOnce = () =>
      attempt((event) => {
        if (event?.EventType !== EventType.TaskFailed && event?.EventType !== EventType.SubOrchestrationInstanceFailed)
          return settled(event);
        failures += 1;
        // After the last attempt the framework still waits for a timer, and the library counts on it.
        const isLast = failures >= options.maxNumberOfAttempts;
        startTimer(isLast ? now : now + retryDelay(options, failures - 1), isLast ? () => settled(event) : tryOnce);
      });
    tryOnce();
  }

  function waitForEvent(name: string, settled: Settled): void {
    const key = name.toLowerCase();
    const early = buffered.get(key)?.shift();
    if (early !== undefined) {
      compareCase(name, early.Name);
      return settled(early);
    }
    const stack = waits.get(key) ?? [];
    stack.push({ name, settled });
    waits.set(key, stack);
  }

  /** The last waiter is served first. */
  function raise(event: HistoryEventOf<"EventRaised">): void {
    if (continued !== undefined) {
      carryOver.push(event);
      return;
    }
    const key = event.Name.toLowerCase();
    const waiter = waits.get(key)?.pop();
    if (waiter === undefined) {
      buffered.set(key, [...(buffered.get(key) ?? []), event]);
      return;
    }
    compareCase(waiter.name, event.Name);
    waiter.settled(event);
  }

  function compareCase(awaited: string, raised: string): void {
    if (awaited === raised) return;
    isCaseMixed = true;
    warnings.add(
      `event '${raised}' is never seen by an orchestrator that waits for '${awaited}': the host ignores case, the library does not`,
    );
  }

  function sendToEntity(action: EntityAction, settled: Settled): void {
    requireFunction("entity", action.instanceId.slice(1, action.instanceId.indexOf("@", 1)));
    const isSignal = action.actionType === ActionType.SignalEntity;
    let guid = "";
    schedule(undefined, (id) => {
      guid = deterministicGuid(execution.executionId, id);
      const request = () =>
        JSON.stringify({
          op: action.operation,
          ...(isSignal ? { signal: true } : {}),
          ...(action.input === undefined || action.input === null ? {} : { input: JSON.stringify(action.input) }),
          id: guid,
          ...(isSignal ? {} : { parent: execution.instanceId, parentExecution: execution.executionId }),
        });
      return {
        type: EventType.EventSent,
        name: "op",
        toEvent: (at) =>
          historyEvent("EventSent", at, { InstanceId: action.instanceId, Name: "op", Input: request() }, id),
        toMessage: () => ({ kind: "entity", target: action.instanceId, request: request() }),
      };
    });
    if (isSignal) settled();
    else waitForEvent(guid, settled);
  }

  function callHttp(request: HttpRequestAction, settled: Settled): void {
    const call = (current: HttpRequestAction) =>
      callActivity(httpActivityName, current, (event) => {
        const answer =
          event?.EventType === EventType.TaskCompleted ? (JSON.parse(event.Result ?? "null") as HttpAnswer) : undefined;
        const location = header(answer, "location");
        if (answer?.statusCode !== 202 || request.asynchronousPatternEnabled === false || location === undefined)
          return settled(event);
        const seconds = Number(header(answer, "retry-after"));
        const { "x-functions-key": _, ...headers } = request.headers ?? {};
        startTimer(now + (seconds > 0 ? seconds * 1000 : rules.httpSleepMs), () =>
          call({ method: "GET", uri: location, headers }),
        );
      });
    call(request);
  }

  function compound(actions: readonly Action[], needed: number, settled: Settled): void {
    warnOfReuse(actions);
    let count = 0;
    // Every child starts before the parent may settle: ids follow the list, also when an event is there already.
    let areStarted = false;
    const settleOne = () => {
      count += 1;
      if (areStarted && count === needed) settled();
    };
    for (const action of actions) start(action, settleOne);
    areStarted = true;
    if (count >= needed) settled();
  }

  /** The protocol has no task ids, so a task that is raced a second time is scheduled a second time (durable-js issue 574). */
  function warnOfReuse(actions: readonly Action[]): void {
    const stillOpen = new Set(
      [...openActions].filter(([id]) => open.has(id)).map(([, action]) => JSON.stringify(action)),
    );
    const again = stillOpen.size === 0 ? undefined : actions.find((action) => stillOpen.has(JSON.stringify(action)));
    if (again === undefined) return;
    const what = "functionName" in again ? `'${again.functionName}'` : "a timer";
    warnings.add(
      `${what} is scheduled while the same is still open: a task may be put into one Task.any or Task.all only, a second one starts it again`,
    );
  }

  function start(action: Action, settled: Settled): void {
    const first = nextId;
    startAction(action, settled);
    if (nextId > first && !("compoundActions" in action)) openActions.set(first, action);
  }

  function startAction(action: Action, settled: Settled): void {
    switch (action.actionType) {
      case ActionType.CallActivity:
        return callActivity(action.functionName, action.input, settled);
      case ActionType.CallActivityWithRetry:
        return withRetry(
          action.functionName,
          action.retryOptions,
          (done) => callActivity(action.functionName, action.input, done),
          settled,
        );
      case ActionType.CallSubOrchestrator:
        return callChild(action, settled);
      case ActionType.CallSubOrchestratorWithRetry:
        return withRetry(action.functionName, action.retryOptions, (done) => callChild(action, done), settled);
      case ActionType.ContinueAsNew:
        continued = { input: action.input };
        return settled();
      case ActionType.CreateTimer:
        return createTimer(action, settled);
      case ActionType.WaitForExternalEvent:
        if (/^\d+$/.test(action.externalEventName)) {
          throw new Refused(
            `no event may be named '${action.externalEventName}': the library would take it for the result of a task`,
          );
        }
        return waitForEvent(action.externalEventName, settled);
      case ActionType.CallEntity:
      case ActionType.SignalEntity:
        return sendToEntity(action, settled);
      case ActionType.CallHttp:
        return callHttp(action.httpRequest, settled);
      case ActionType.WhenAny:
        return compound(action.compoundActions, 1, settled);
      case ActionType.WhenAll:
        return compound(action.compoundActions, action.compoundActions.length, settled);
      default:
        throw new WouldHang(
          `this host knows no action ${JSON.stringify((action as { actionType: unknown }).actionType)}`,
        );
    }
  }

  /** History says that a task was scheduled: the code must have asked for the same. */
  function confirm(event: Extract<HistoryEvent, { EventId: number }>, name: string): void {
    const task = pending.get(event.EventId);
    if (task === undefined || task.type !== event.EventType || task.name.toLowerCase() !== name.toLowerCase()) {
      const was = `task ${event.EventId} was ${describe(event.EventType, name)}`;
      throw new NonDeterministic(
        `${was} and is now ${task === undefined ? "not asked for" : describe(task.type, task.name)}`,
      );
    }
    pending.delete(event.EventId);
  }

  /** Unknown and repeated ids are late duplicates. */
  function settle(id: number, event: Settling): void {
    const settled = open.get(id);
    open.delete(id);
    openActions.delete(id);
    settled?.(event);
  }

  function requireFunction(kind: "activity" | "orchestration" | "entity", name: string): void {
    if (name === httpActivityName || rules.hasFunction(kind, name)) return;
    throw new WouldHang(`the function '${name}' doesn't exist, is disabled, or is not an ${kind} function`);
  }

  function payload(value: unknown, what: string): string {
    const text = JSON.stringify(value ?? null);
    if (text.length > rules.maximumPayloadBytes) {
      throw new Refused(
        `${what} has ${text.length} characters, more than ${rules.maximumPayloadBytes}: pass a reference instead`,
      );
    }
    if (text.length > 48 * 1024)
      warnings.add(`${what} is above 48 KB: storage keeps it apart, slowly; pass a reference instead`);
    return text;
  }

  return {
    start,
    confirm,
    settle,
    raise,
    setClock: (time: number) => (now = time),
    hasOpen: () => open.size > 0,
    /** Whether a message may still wake it: somebody waits, or an event was mistaken for another. */
    mayWake: () => open.size > 0 || isCaseMixed || [...waits.values()].some((stack) => stack.length > 0),
    unconfirmed: () => [...pending.values()],
    takeId: () => nextId++,
    continued: () => continued,
    carryOver,
    warnings,
  };
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

function header(answer: HttpAnswer | undefined, name: string): string | undefined {
  return Object.entries(answer?.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
}

function describe(type: number, name: string): string {
  const kind = Object.entries(EventType).find(([, value]) => value === type)?.[0] ?? String(type);
  return name === "" ? kind : `${kind} '${name}'`;
}
