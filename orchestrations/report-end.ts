// The last thing that whatever stands for a node does: its result goes to the run, or to the sweep or loop it is a part of.
import type { OrchestrationContext, Task } from "durable-functions";
import { NodeProgress, type NodeResult } from "#shared/domain/node-result.ts";
import type { NodeRecipe } from "#shared/domain/remembered-node.ts";
import { reportNode } from "./activities.ts";
import { call } from "./contract.ts";

interface Reporter {
  readonly runId: string;
  /** The sweep or loop it is a part of. */
  readonly owner?: string | undefined;
  readonly recipe?: NodeRecipe | undefined;
}

/** @returns the result, with what is remembered of it */
export function* reportEnd(
  context: OrchestrationContext,
  { runId, owner, recipe }: Reporter,
  result: NodeResult,
): Generator<Task, NodeResult, unknown> {
  // Between the signal and the end of this instance the signal may be lost: whoever looks then waits for the end.
  context.df.setCustomStatus({ ...NodeProgress.parse(result), isReporting: true } satisfies NodeProgress);
  const remembered = yield* call(context, reportNode, {
    runId,
    result,
    ...(owner === undefined ? {} : { owner }),
    ...(recipe === undefined ? {} : { recipe }),
  });
  return result.status === "completed" && remembered !== null ? { ...result, remembered } : result;
}
