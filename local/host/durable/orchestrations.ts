// Runs orchestrations, one episode at a time: inbox and history in, one durable write out.
import type { HostLog, Worker } from "../contract.ts";
import { type Batch, chooseBatch, createShuffle, hasNews } from "./batch.ts";
import type { Catalog } from "./catalog.ts";
import { createInstance, executionStarted, newExecutionId } from "./create-instance.ts";
import {
  type EpisodeEnd,
  type EpisodeOutcome,
  failEpisode,
  idleEpisode,
  replayEpisode,
  terminateEpisode,
} from "./episode.ts";
import { EventType, type HistoryEvent, historyEvent, markPlayed } from "./events.ts";
import { type CachedHistory, createHistoryCache } from "./history-cache.ts";
import type { DurableOptions } from "./options.ts";
import { createOrchestratorCall } from "./orchestrator-call.ts";
import { type InstanceRow, type ParentLink, type Store, terminalStatuses } from "./store.ts";
import type { Message, ReplayRules } from "./tasks.ts";

/** Whom a durable write has given something to do. */
interface Bell {
  instance(id: string): void;
  activities(): void;
  timers(): void;
}

export interface OrchestrationParts {
  readonly store: Store;
  readonly worker: Worker;
  readonly catalog: Catalog;
  readonly options: DurableOptions;
  readonly bell: Bell;
  readonly log: HostLog;
  /** True once results must be left for the next start. */
  readonly isClosed: () => boolean;
}

interface Episode {
  /** The orchestration's clock. */
  readonly now: number;
  readonly fresh: readonly HistoryEvent[];
  readonly outcome: EpisodeOutcome;
}

export function createOrchestrations({ store, worker, catalog, options, bell, log, isClosed }: OrchestrationParts) {
  const cache = createHistoryCache(store.history);
  const callOrchestrator = createOrchestratorCall(worker, options);
  const rules: ReplayRules = { ...options, hasFunction: (kind, name) => catalog.find(kind, name) !== undefined };
  const shuffle =
    options.switches.shuffleEvents === undefined ? undefined : createShuffle(options.switches.shuffleEvents);
  const told = new Set<string>();

  /** Runs what waits in an instance's inbox. */
  async function runEpisode(id: string): Promise<void> {
    const instance = store.instance(id);
    if (instance === undefined || terminalStatuses.has(instance.status)) {
      store.write(() => store.clearInbox(id));
      return;
    }
    const batch = chooseBatch(instance, store.inbox(id), shuffle);
    if (batch.events.length === 0) {
      if (batch.rows.length > 0) store.write(() => store.consume(batch.rows));
      return;
    }
    const history = cache.get(id, instance.executionId);
    let episode = await decide(instance, batch, history);
    if (isClosed()) return;
    if (options.switches.rollbackAfterSend === true && episode.outcome.messages.length > 0) {
      loseCommit(instance, episode);
      episode = await decide(instance, batch, history);
      if (isClosed()) return;
    }
    commit(instance, batch, history, episode);
  }

  /** Asks the function. Nothing is changed yet. */
  async function decide(instance: InstanceRow, batch: Batch, history: CachedHistory): Promise<Episode> {
    const now = clock(history.events, batch.events);
    const fresh: HistoryEvent[] = [historyEvent("OrchestratorStarted", now, {}), ...batch.events];
    return { now, fresh, outcome: await outcomeOf(instance, batch, history, fresh, now) };
  }

  async function outcomeOf(
    instance: InstanceRow,
    batch: Batch,
    history: CachedHistory,
    fresh: readonly HistoryEvent[],
    now: number,
  ): Promise<EpisodeOutcome> {
    const { name, parent } = instance;
    if (batch.termination !== undefined) return terminateEpisode(batch.termination.reason, now);
    if (!hasNews(batch.events)) return idleEpisode(now);
    const orchestrator = catalog.find("orchestration", name);
    if (orchestrator === undefined) {
      const known = catalog.names("orchestration").map((each) => `'${each}'`);
      const reason = `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. Known orchestrator functions: ${known.join(", ") || "none"}`;
      return failEpisode(name, reason, "", now);
    }
    const texts = [history.text, ...fresh.map((event) => JSON.stringify(event))];
    const start = [...history.events.slice(0, 2), ...fresh].find(
      (event) => event.EventType === EventType.ExecutionStarted,
    );
    const parentInstanceId = parent?.instanceId ?? null;
    const answer = await callOrchestrator(orchestrator, {
      instanceId: instance.id,
      parentInstanceId,
      history: texts.filter((text) => text !== "").join(","),
      input: start?.Input ?? null,
      isReplaying: history.events.length > 0,
    });
    if ("error" in answer) return failEpisode(name, answer.error.message, answer.error.stack, now);
    const { id: instanceId, executionId } = instance;
    return replayEpisode(
      { instanceId, executionId, parentInstanceId, name, past: history.events, fresh, ...answer },
      rules,
    );
  }

  function commit(instance: InstanceRow, batch: Batch, history: CachedHistory, { now, fresh, outcome }: Episode): void {
    const events = [...fresh, ...outcome.events];
    const texts = events.map((event) => markPlayed(JSON.stringify(event)));
    const woken = new Set<string>();
    store.write(() => {
      store.consume(batch.rows);
      for (const message of outcome.messages) send(instance, message, now, woken);
      const { end } = outcome;
      if (end?.status === "ContinuedAsNew") return startOver(instance, batch, end, outcome, now, woken);
      store.appendHistory(instance.id, history.events.length, texts);
      const status = end?.status ?? (batch.isSuspended ? "Suspended" : "Running");
      store.updateInstance({
        ...instance,
        ...customStatus(instance, outcome),
        status,
        output: outputOf(end),
        updated: now,
      });
      if (end === undefined) return;
      store.clearInbox(instance.id);
      store.clearTimers(instance.id);
      if (instance.parent !== null) tellParent(instance.parent, end, now, woken);
    });
    if (outcome.end === undefined) cache.append(instance.id, history, events, texts);
    else cache.forget(instance.id);
    ring(outcome.messages, woken);
    for (const warning of outcome.warnings) tell(instance, warning);
    if (outcome.end?.status === "Failed")
      log("error", "Host.Triggers.DurableTask", `${instance.id}: ${outcome.end.failure.output}`);
  }

  /** The next execution: same instance, new history. What was raised in time comes along, in front of what arrived since. */
  function startOver(
    instance: InstanceRow,
    batch: Batch,
    { input, carryOver }: Extract<EpisodeEnd, { status: "ContinuedAsNew" }>,
    outcome: EpisodeOutcome,
    now: number,
    woken: Set<string>,
  ): void {
    const executionId = newExecutionId();
    store.clearHistory(instance.id);
    store.clearTimers(instance.id);
    const { customStatus: kept } = customStatus(instance, outcome);
    const next: InstanceRow = {
      ...instance,
      executionId,
      status: batch.isSuspended ? "Suspended" : "Running",
      customStatus: kept,
      isStatusWritten: false,
      updated: now,
    };
    store.putInstance({ ...next, created: now }, input);
    store.sendFirst(instance.id, () => {
      store.send(instance.id, executionId, JSON.stringify(executionStarted({ ...next, input }, executionId, now)));
      for (const event of carryOver) store.send(instance.id, null, JSON.stringify({ ...event, IsPlayed: false }));
    });
    woken.add(instance.id);
  }

  function send(instance: InstanceRow, message: Message, now: number, woken: Set<string>): void {
    const { id: instanceId, executionId } = instance;
    switch (message.kind) {
      case "activity":
        return store.addActivity({
          instanceId,
          executionId,
          taskId: message.taskId,
          name: message.name,
          input: message.input,
        });
      case "timer":
        return store.addTimer({ instanceId, executionId, timerId: message.timerId, due: message.due });
      case "entity":
        store.send(message.target, null, message.request);
        return void woken.add(message.target);
      case "child":
        return void woken.add(startChild(instance, message, now));
    }
  }

  /** @returns Whom to wake: the child, or the parent that is told why there is none. */
  function startChild(instance: InstanceRow, message: Extract<Message, { kind: "child" }>, now: number): string {
    const parent: ParentLink = {
      instanceId: instance.id,
      executionId: instance.executionId,
      taskId: message.taskId,
      name: instance.name,
    };
    const existing = store.instance(message.instanceId);
    if (existing === undefined || terminalStatuses.has(existing.status)) {
      const { instanceId: id, name, version, input } = message;
      createInstance(store, { id, name, version, input, parent }, now);
      return id;
    }
    // A repeated episode starts its children again; they are already there.
    if (existing.parent?.executionId === parent.executionId && existing.parent.taskId === parent.taskId)
      return existing.id;
    const reason = `Sub-orchestration '${message.name}' cannot start: an instance with the id '${existing.id}' is already ${existing.status}`;
    const failed = {
      TaskScheduledId: message.taskId,
      Reason: reason,
      Details: `Message: ${reason}, StackTrace: `,
      FailureDetails: null,
    };
    store.send(
      instance.id,
      instance.executionId,
      JSON.stringify(historyEvent("SubOrchestrationInstanceFailed", now, failed)),
    );
    return instance.id;
  }

  function tellParent(
    parent: ParentLink,
    end: Exclude<EpisodeEnd, { status: "ContinuedAsNew" }>,
    now: number,
    woken: Set<string>,
  ): void {
    const TaskScheduledId = parent.taskId;
    const event =
      end.status === "Completed"
        ? historyEvent("SubOrchestrationInstanceCompleted", now, { TaskScheduledId, Result: end.output })
        : historyEvent("SubOrchestrationInstanceFailed", now, {
            TaskScheduledId,
            Reason: end.status === "Failed" ? end.failure.output : end.reason,
            Details: end.status === "Failed" ? end.failure.details : "",
            FailureDetails: null,
          });
    store.send(parent.instanceId, parent.executionId, JSON.stringify(event));
    woken.add(parent.instanceId);
  }

  /** Sends everything, as if the process had died right before the commit of an episode that is now repeated. */
  function loseCommit(instance: InstanceRow, { now, outcome }: Episode): void {
    const woken = new Set<string>();
    store.write(() => {
      for (const message of outcome.messages) send(instance, message, now, woken);
    });
    ring(outcome.messages, woken);
  }

  function ring(messages: readonly Message[], woken: ReadonlySet<string>): void {
    for (const id of woken) bell.instance(id);
    if (messages.some(({ kind }) => kind === "activity")) bell.activities();
    if (messages.some(({ kind }) => kind === "timer")) bell.timers();
  }

  function tell(instance: InstanceRow, warning: string): void {
    const once = `${instance.name}: ${warning}`;
    if (told.has(once) || told.size > 1000) return;
    told.add(once);
    log("warning", "Host.Triggers.DurableTask", `${instance.id}: ${warning}`);
  }

  return { runEpisode };
}

/** Never behind what the history or a fired timer says: a clock may be set back, an orchestration's may not. */
function clock(past: readonly HistoryEvent[], batch: readonly HistoryEvent[]): number {
  const times = batch.flatMap((event) =>
    event.EventType === EventType.TimerFired ? [event.Timestamp, event.FireAt] : [event.Timestamp],
  );
  const last = past.at(-1)?.Timestamp;
  return Math.max(Date.now(), ...[...times, ...(last === undefined ? [] : [last])].map((time) => Date.parse(time)));
}

function customStatus(
  instance: InstanceRow,
  outcome: EpisodeOutcome,
): Pick<InstanceRow, "customStatus" | "isStatusWritten"> {
  const { customStatus: text } = outcome;
  if (text === undefined || (text === null && !instance.isStatusWritten)) return instance;
  return { customStatus: text, isStatusWritten: true };
}

function outputOf(end: Exclude<EpisodeEnd, { status: "ContinuedAsNew" }> | undefined): string | null {
  if (end?.status === "Completed") return end.output;
  if (end?.status === "Failed") return end.failure.output;
  return end?.reason ?? null;
}
