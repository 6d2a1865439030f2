// Runs that are under way when a new version is deployed go on from histories that older code left. A change that fails here needs
// a new version of the orchestration, never another history.
import type { OrchestrationContext, Task } from "durable-functions";
import { describe, expect, test } from "vitest";
import { EventType, eventTypeName, type HistoryEvent, historyEvent } from "#local/host/durable/events.ts";
import { collectDataset } from "#orchestrations/collect-dataset.ts";
import { deliverNotification } from "#orchestrations/deliver-notification.ts";
import { runDoWhile } from "#orchestrations/run-do-while.ts";
import { runIfElse } from "#orchestrations/run-if-else.ts";
import { runNode } from "#orchestrations/run-node.ts";
import { runParallelFor } from "#orchestrations/run-parallel-for.ts";
import { runPipeline } from "#orchestrations/run-pipeline.ts";
import { runPromote } from "#orchestrations/run-promote.ts";
import { runSweep } from "#orchestrations/run-sweep.ts";
import { episodesOf, readHistories, registerForReplay, type StoredHistory } from "./replay.ts";

const histories = readHistories();
const players: Record<string, ReturnType<typeof registerForReplay>> = {
  runPipeline: registerForReplay(runPipeline),
  runNode: registerForReplay(runNode),
  runPromote: registerForReplay(runPromote),
  runSweep: registerForReplay(runSweep),
  runParallelFor: registerForReplay(runParallelFor),
  runDoWhile: registerForReplay(runDoWhile),
  runIfElse: registerForReplay(runIfElse),
  collectDataset: registerForReplay(collectDataset),
  deliverNotification: registerForReplay(deliverNotification),
};

function historyOf(title: string): StoredHistory {
  const found = histories.find((history) => history.title === title);
  if (found === undefined) throw new Error(`there is no history ${title}`);
  return found;
}

function playerOf({ orchestration }: StoredHistory) {
  const player = players[orchestration];
  if (player === undefined) throw new Error(`nobody plays ${orchestration}`);
  return player;
}

/** Plays every episode. @returns for each what was done then and what would be done now */
async function playAll(history: StoredHistory, play = playerOf(history)) {
  const rows = [];
  for (const { past, fresh, done } of episodesOf(history)) {
    const { events } = await play(history, past, fresh);
    const known = (event: object) => ({ ...event, IsPlayed: true });
    rows.push({ stored: done.map(known), played: events.map(known) });
  }
  return rows;
}

describe("stored histories", () => {
  test("are of every kind of end, of every orchestration", () => {
    const titles = histories.map(({ title }) => title);
    const kinds = ["success", "failure", "cancel", "size-fall-back", "second-generation", "first-generation"];
    for (const kind of kinds) {
      expect(titles.filter((title) => title.startsWith(`${kind}.`)).length).toBeGreaterThan(1);
    }
    expect(titles).toEqual(expect.arrayContaining(["approved.promote", "rejected.promote"]));
    expect(new Set(histories.map(({ orchestration }) => orchestration))).toEqual(new Set(Object.keys(players)));
  });

  test.for(histories.map((history) => [history.title, history] as const))(
    "%s is played to the same actions and the same end",
    async ([, history]) => {
      const rows = await playAll(history);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.map(({ played }) => played)).toEqual(rows.map(({ stored }) => stored));
      const isEnded = history.events.some((event) => event.EventType === EventType.ExecutionCompleted);
      expect(isEnded).toBe(history.status === "Completed");
    },
  );
});

test("a node's first generation ends with its timer and hands on what it knows", async () => {
  const history = historyOf("first-generation.node");
  const timer = history.events.findLast((event) => event.EventType === EventType.TimerCreated);
  if (timer?.EventType !== EventType.TimerCreated) throw new Error("no timer was set");
  const due = Date.parse(timer.FireAt);
  const fired = historyEvent("TimerFired", due, { TimerId: timer.EventId, FireAt: timer.FireAt });
  const fresh = [historyEvent("OrchestratorStarted", due, {}), fired];
  const { end } = await playerOf(history)(history, history.events, fresh);
  if (end?.status !== "ContinuedAsNew") throw new Error(`it ended as ${end?.status}`);
  const jobName = `${history.instanceId.replace(":", "-")}-1`;
  expect(JSON.parse(end.input)).toMatchObject({ node: "node", work: { attempt: 1, job: { jobName, polls: 1 } } });
});

describe("a changed orchestration is found out", () => {
  type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;

  const changes: [how: string, change: (old: Orchestrator) => Orchestrator, verdict: RegExp][] = [
    [
      "by a step before the others",
      (old) =>
        function* changed(context) {
          yield context.df.callActivity("somethingNew", {});
          return yield* old(context);
        },
      /^Non-Deterministic workflow detected: /,
    ],
    [
      "by a step under another name",
      (old) =>
        function* changed(context) {
          const call = context.df.callActivityWithRetry.bind(context.df);
          context.df.callActivityWithRetry = (name, ...rest) => call(`${name}2`, ...rest);
          return yield* old(context);
        },
      /^Non-Deterministic workflow detected: /,
    ],
    [
      "by a step at its end",
      (old) =>
        function* changed(context) {
          const output = yield* old(context);
          yield context.df.callActivity("somethingNew", {});
          return output;
        },
      /^it does TaskScheduled somethingNew where it did ExecutionCompleted$/,
    ],
  ];

  for (const [how, change, verdict] of changes) {
    test.for(["success.run", "success.train"])(`${how}: %s`, async (title) => {
      const history = historyOf(title);
      const play = registerForReplay(change(history.orchestration === "runNode" ? runNode : runPipeline));
      expect(await verdictOn(history, play)).toMatch(verdict);
    });
  }
});

/** The last thing in which code and history differ. */
async function verdictOn(history: StoredHistory, play: ReturnType<typeof registerForReplay>): Promise<string> {
  let verdict = "no difference";
  for (const { past, fresh, done } of episodesOf(history)) {
    const { events, end } = await play(history, past, fresh);
    if (end?.status === "Failed") verdict = end.failure.output.replace(/^Orchestrator function '\w+' failed: /, "");
    else if (describeEvents(events) !== describeEvents(done)) {
      verdict = `it does ${describeEvents(events)} where it did ${describeEvents(done)}`;
    }
  }
  return verdict;
}

function describeEvents(events: readonly HistoryEvent[]): string {
  const own = events.filter((event) => event.EventType !== EventType.OrchestratorCompleted);
  return own
    .map((event) => ("Name" in event ? `${eventTypeName(event)} ${event.Name}` : eventTypeName(event)))
    .join(", ");
}
