// Plays a stored history through the real durable-functions library, episode by episode, as the extension does after a restart.
import "../local/host/durable/functions-core.ts";
import { readdirSync, readFileSync } from "node:fs";
import type { OrchestrationHandler } from "durable-functions";
import { replayEpisode } from "#local/host/durable/episode.ts";
import { EventType, type HistoryEvent } from "#local/host/durable/events.ts";
import { parseDurableOptions } from "#local/host/durable/options.ts";
import { createOrchestratorCall } from "#local/host/durable/orchestrator-call.ts";
import { createTestWorker, df } from "../local/host/durable/harness.ts";

export interface StoredHistory {
  readonly title: string;
  /** Registered name of the orchestration that left it. */
  readonly orchestration: string;
  readonly instanceId: string;
  readonly status: string;
  readonly events: readonly HistoryEvent[];
}

const folder = new URL("histories/", import.meta.url);

export function readHistories(): StoredHistory[] {
  return readdirSync(folder).map((file) => {
    const [header = "", ...lines] = readFileSync(new URL(file, folder), "utf8").trimEnd().split("\n");
    const facts = JSON.parse(header) as Omit<StoredHistory, "title" | "events">;
    const events = lines.map((line) => JSON.parse(line) as HistoryEvent);
    return { ...facts, title: file.replace(".jsonl", ""), events };
  });
}

const options = parseDurableOptions({});
const callOrchestrator = createOrchestratorCall(
  createTestWorker(() => undefined),
  options,
);
let registered = 0;

/** Registers orchestrator code for replays. @returns plays one episode on it */
export function registerForReplay(orchestrator: OrchestrationHandler) {
  const name = `replayed${(registered += 1)}`;
  df.app.orchestration(name, orchestrator);

  return async function playEpisode(
    { orchestration, instanceId }: StoredHistory,
    past: readonly HistoryEvent[],
    fresh: readonly HistoryEvent[],
  ) {
    const all = [...past, ...fresh];
    const start = all.find((event) => event.EventType === EventType.ExecutionStarted);
    if (start?.EventType !== EventType.ExecutionStarted) throw new Error("the history has no start");
    const history = [
      ...past.map((event) => JSON.stringify({ ...event, IsPlayed: true })),
      ...fresh.map((event) => JSON.stringify({ ...event, IsPlayed: false })),
    ].join(",");
    const isReplaying = past.length > 0;
    const parentInstanceId = null;
    const trigger = { instanceId, parentInstanceId, history, input: start.Input, isReplaying };
    const answer = await callOrchestrator({ name, binding: "context" }, trigger);
    if ("error" in answer) throw new Error(answer.error.message);
    const { InstanceId, ExecutionId } = start.OrchestrationInstance;
    const execution = { instanceId: InstanceId, executionId: ExecutionId, parentInstanceId, name: orchestration };
    return replayEpisode({ ...execution, past, fresh, ...answer }, { ...options, hasFunction: () => true });
  };
}

export interface StoredEpisode {
  readonly past: readonly HistoryEvent[];
  /** What woke the orchestration. */
  readonly fresh: readonly HistoryEvent[];
  /** What it did then. */
  readonly done: readonly HistoryEvent[];
}

const wakers = new Set<number>([
  EventType.OrchestratorStarted,
  EventType.ExecutionStarted,
  EventType.TaskCompleted,
  EventType.TaskFailed,
  EventType.TimerFired,
  EventType.EventRaised,
]);

export function episodesOf({ events }: StoredHistory): StoredEpisode[] {
  const starts = events.flatMap((event, index) => (event.EventType === EventType.OrchestratorStarted ? [index] : []));
  return starts.map((from, index) => {
    const own = events.slice(from, starts[index + 1]);
    const count = own.findIndex((event) => !wakers.has(event.EventType));
    return { past: events.slice(0, from), fresh: own.slice(0, count), done: own.slice(count) };
  });
}
