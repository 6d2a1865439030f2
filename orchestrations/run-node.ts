// One node of one run: gets a job into the workspace, sees it to its end, tries again where that helps, reports.
//
// A wake-up is an event (the end marker's blob, Azure ML's own run event, a cancel, a free slot) or a timer. When a timer wins, the
// history is dropped with `continueAsNew`: the wait that lost would otherwise stay behind and swallow the next event.
import type { OrchestrationContext, Task } from "durable-functions";
import type { NodeMachines } from "#shared/domain/cost/machine-time.ts";
import type { NodePolicy } from "#shared/domain/node-policy.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import type { NodeRecipe } from "#shared/domain/remembered-node.ts";
import { awaitJob } from "./await-job.ts";
import { beginWork, failed, type NodeWork } from "./node-work.ts";
import type { nodeKinds } from "./nodes/nodes.ts";
import { reportEnd } from "./report-end.ts";
import { giveSlot, submitNode } from "./submit-node.ts";

export interface NodeInput {
  readonly runId: string;
  readonly node: string;
  readonly kind: keyof typeof nodeKinds;
  readonly component: string;
  /** Sizes to try in order; empty lets the service choose. */
  readonly instanceTypes: readonly string[];
  readonly timeoutSeconds?: number;
  readonly policy?: NodePolicy;
  /** What its jobs' machines are; absent for a node that began before this was told. */
  readonly machines?: NodeMachines;
  /** Its jobs need a slot each. */
  readonly isLimited?: boolean;
  /** `node.output` -> URI. */
  readonly upstream: Record<string, string>;
  /** What the node is made of; a trial has none of its own. */
  readonly recipe?: NodeRecipe;
  /** The loop in whose rounds this node runs. */
  readonly owner?: string;
  /** Set when this is one trial of a sweep. */
  readonly trial?: TrialInput;
  /** Set from the second generation on. */
  readonly work?: NodeWork;
}

export interface TrialInput {
  /** The sweep's node in the plan. */
  readonly planNode: string;
  /** Values of the search space, which override the trial's inputs of the same names. */
  readonly values: Record<string, string>;
}

export function* runNode(context: OrchestrationContext): Generator<Task, NodeResult | undefined, unknown> {
  const input = context.df.getInput<NodeInput>();
  const work = input.work ?? beginWork(context, input);
  // Only a timer ends a generation: a job that was there before is due for a look.
  let isWokenByTimer = work.job !== undefined;
  try {
    for (;;) {
      const { job } = work;
      const turn =
        job === undefined
          ? yield* submitNode(context, input, work)
          : yield* awaitJob(context, input, work, job, isWokenByTimer);
      isWokenByTimer = false;
      if (turn === "next-generation") {
        context.df.continueAsNew({ ...input, work });
        return undefined;
      }
      if (turn !== "go-on") return yield* report(context, input, turn);
    }
  } catch (error) {
    // An activity gave up for good: the run must hear of it, or it would wait for ever.
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    yield* giveSlot(context, input, work);
    return yield* report(context, input, failed(context, input, work, { reason }));
  }
}

function report(
  context: OrchestrationContext,
  { runId, trial, owner, recipe }: NodeInput,
  result: NodeResult,
): Generator<Task, NodeResult, unknown> {
  // A trial's result goes to the sweep that started it, as a round's goes to its loop.
  return reportEnd(context, { runId, owner: trial?.planNode ?? owner, recipe }, result);
}
