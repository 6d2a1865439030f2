// A loop on the stage: its rounds' nodes end as the test tells them to.
import type { Loop } from "#shared/domain/control/loop-state.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import type { PlanGraph } from "#shared/domain/plan.ts";
import { type Call, play, type Stage } from "./stage.ts";

type Orchestrator = Parameters<typeof play>[0];

export function bodyGraph(edges: Record<string, string[]>, continueOnStepFailure = false): PlanGraph {
  return {
    pipeline: "p",
    continueOnStepFailure,
    nodes: Object.entries(edges).map(([name, dependsOn]) => ({
      name,
      dependsOn,
      kind: "command" as const,
      component: name,
      instanceTypes: [],
    })),
  };
}

const base = { attempt: 1, refused: [], startTime: "2026-01-05T10:00:01.000Z", endTime: "2026-01-05T10:00:02.000Z" };
export const completed = (node: string, output = "out"): NodeResult => ({
  ...base,
  node,
  status: "completed",
  outputs: { [output]: `azureml://${node}` },
});
export const failed = (node: string): NodeResult => ({
  ...base,
  node,
  status: "failed",
  failure: { reason: "exit code 1" },
});
export const canceled = (node: string): NodeResult => ({ ...base, node, status: "canceled" });
export const tell = (result: NodeResult) => ({ kind: "node-ended", result });

interface Started {
  node: string;
  upstream: Record<string, string>;
}

export function playLoop(
  orchestrator: Orchestrator,
  loop: Loop | { kind: "refused"; reason: string },
  events: readonly unknown[],
  answers: Readonly<Record<string, (call: Call) => unknown>> = {},
  buffered: unknown[] = [],
) {
  return play(orchestrator, {
    input: {
      runId: "r1",
      node: "loop",
      kind: "do_while",
      component: "step",
      instanceTypes: [],
      upstream: { "prep.o": "u" },
    },
    activity: (call) => {
      const answer = answers[call.name];
      if (answer !== undefined) return answer(call);
      if (call.name === "readLoop") return { kind: "loop", ...loop };
      return call.name === "checkNodes" ? [] : null;
    },
    event: (wait) => events[wait - 1],
    buffered: () => buffered.shift(),
  });
}

const callsOf = (stage: Stage, name: string) => stage.calls.filter((call) => call.name === name);

/** The nodes of each start, in order. */
export function startedIn(stage: Stage): Started[][] {
  return callsOf(stage, "startBodyNodes").map(({ input }) => (input as { nodes: Started[] }).nodes);
}

export const namesIn = (stage: Stage): string[][] => startedIn(stage).map((nodes) => nodes.map(({ node }) => node));

export const stoppedIn = (stage: Stage): unknown[] => callsOf(stage, "signalNodes").map(({ input }) => input);
