import { describe, expect, test } from "vitest";

import { type Action, ActionType } from "#local/host/durable/actions.ts";
import { replayEpisode } from "#local/host/durable/episode.ts";
import { type HistoryEvent, historyEvent } from "#local/host/durable/events.ts";
import type { ReplayRules } from "#local/host/durable/tasks.ts";

const now = Date.parse("2030-01-01T00:00:00.000Z");
const rules: ReplayRules = {
  hasFunction: (_, name) => name !== "missing",
  maximumShortTimerMs: 1000,
  longTimerIntervalMs: 400,
  httpSleepMs: 10,
  maximumPayloadBytes: 1000,
};

const call = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName });
const timer = (ms: number, isCanceled = false): Action => ({
  actionType: ActionType.CreateTimer,
  fireAt: new Date(now + ms).toISOString(),
  isCanceled,
});
const wait = (externalEventName: string): Action => ({
  actionType: ActionType.WaitForExternalEvent,
  externalEventName,
});
const any = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAny, compoundActions });
const all = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAll, compoundActions });

const started = historyEvent("OrchestratorStarted", now, {});
const begun = historyEvent("ExecutionStarted", now, {
  Name: "run",
  Version: "",
  Input: null,
  OrchestrationInstance: { InstanceId: "i", ExecutionId: "e" },
  ParentInstance: null,
  Tags: null,
  Correlation: null,
  ScheduledStartTime: null,
  Generation: 0,
});
const scheduled = (id: number, name: string) =>
  historyEvent("TaskScheduled", now, { Name: name, Version: "", Input: null }, id);
const completed = (id: number) => historyEvent("TaskCompleted", now, { TaskScheduledId: id, Result: "1" });
const raised = (name: string) => historyEvent("EventRaised", now, { Name: name, Input: "1" });

function replay(actions: Action[], fresh: HistoryEvent[], past: HistoryEvent[] = [], isDone = false) {
  const state = { isDone, actions, output: "out" };
  const execution = { instanceId: "i", executionId: "e", parentInstanceId: null, name: "run" };
  return replayEpisode({ ...execution, past, fresh: [started, ...fresh], state }, rules);
}

describe("ids", () => {
  test("count activities, timers and children in the order of the list, nested ones depth first", () => {
    const { messages } = replay([all(call("a"), any(timer(5), call("b")), wait("x"), call("c"))], [begun]);
    expect(messages.map((message) => ("taskId" in message ? [message.taskId, message.name] : message))).toEqual([
      [0, "a"],
      { kind: "timer", timerId: 1, due: now + 5 },
      [2, "b"],
      [3, "c"],
    ]);
  });

  test("are given to every task of a race, also when its event is there already", () => {
    const { messages } = replay(
      [wait("first"), any(wait("early"), call("a")), call("b")],
      [begun, raised("early"), raised("first")],
    );
    expect(messages).toMatchObject([
      { taskId: 0, name: "a" },
      { taskId: 1, name: "b" },
    ]);
  });

  test("that are unknown or settled already are late duplicates", () => {
    const actions = [call("a"), call("b")];
    const { messages, end } = replay(
      actions,
      [completed(0), completed(0), completed(7)],
      [started, begun, scheduled(0, "a")],
    );
    expect(messages).toMatchObject([{ taskId: 1, name: "b" }]);
    expect(end).toBeUndefined();
  });

  test("of a child without one are made of the execution's", () => {
    const { messages } = replay(
      [call("a"), { actionType: ActionType.CallSubOrchestrator, functionName: "c" }],
      [begun, completed(0)],
    );
    expect(messages[1]).toMatchObject({ kind: "child", taskId: 1, instanceId: "e:1" });
  });
});

test("what history has confirmed is not sent again", () => {
  const { events, messages } = replay([call("a"), call("b")], [completed(0)], [started, begun, scheduled(0, "a")]);
  expect(messages).toHaveLength(1);
  expect(events.map(({ EventType, EventId }) => [EventType, EventId])).toEqual([
    [4, 1],
    [13, -1],
  ]);
});

test("a name in another case is the same function, another name is not", () => {
  expect(replay([call("A")], [raised("x")], [started, begun, scheduled(0, "a")]).end).toBeUndefined();
  const { end } = replay([call("b")], [raised("x")], [started, begun, scheduled(0, "a")]);
  expect(end).toMatchObject({
    status: "Failed",
    failure: { output: expect.stringContaining("Non-Deterministic workflow detected") as unknown },
  });
});

test("an end waits for open tasks, but for no event", () => {
  const open = replay([any(call("a"), wait("x"))], [raised("x")], [started, begun, scheduled(0, "a")], true);
  expect(open.end).toBeUndefined();
  const done = replay([any(call("a"), wait("x"))], [completed(0)], [started, begun, scheduled(0, "a")], true);
  expect(done.end).toEqual({ status: "Completed", output: '"out"' });
  expect(done.events.map(({ EventType }) => EventType)).toEqual([1, 13]);
});

test("a canceled timer is created and holds nobody", () => {
  const { messages, end } = replay([timer(500, true)], [begun], [], true);
  expect(messages).toEqual([{ kind: "timer", timerId: 0, due: now + 500 }]);
  expect(end?.status).toBe("Completed");
});

test("a long timer goes in hops", () => {
  expect(replay([timer(5000)], [begun]).messages).toEqual([{ kind: "timer", timerId: 0, due: now + 400 }]);
});

test("an event after continueAsNew is carried over", () => {
  const actions: Action[] = [wait("x"), { actionType: ActionType.ContinueAsNew, input: { round: 2 } }];
  const { end } = replay(actions, [raised("x"), raised("y")], [started, begun], true);
  expect(end).toMatchObject({ status: "ContinuedAsNew", input: '{"round":2}', carryOver: [{ Name: "y" }] });
});
