// A condition: finds out how it comes out, and reports. What runs then, the walk of the graph decides.
import type { OrchestrationContext, Task } from "durable-functions";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { readCondition } from "./activities.ts";
import { call } from "./contract.ts";
import { reportEnd } from "./report-end.ts";
import type { NodeInput } from "./run-node.ts";

export function* runIfElse(context: OrchestrationContext): Generator<Task, NodeResult, unknown> {
  const { runId, node, upstream, owner } = context.df.getInput<NodeInput>();
  const startTime = context.df.currentUtcDateTime.toISOString();
  let reason = "";
  let value: boolean | undefined;
  try {
    const answer = yield* call(context, readCondition, { runId, node, upstream });
    if (answer.kind === "decided") value = answer.value;
    else reason = answer.reason;
  } catch (error) {
    reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
  const ended = { node, attempt: 1, refused: [], startTime, endTime: context.df.currentUtcDateTime.toISOString() };
  const result: NodeResult =
    value === undefined
      ? { ...ended, status: "failed", failure: { reason } }
      : { ...ended, status: "completed", outputs: {}, taken: value ? "true_block" : "false_block" };
  return yield* reportEnd(context, { runId, owner }, result);
}
