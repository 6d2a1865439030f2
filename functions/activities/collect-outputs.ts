import type { AttemptPlace } from "#shared/domain/layout.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { Plans } from "#shared/plans.ts";
import type { Assets } from "../assets.ts";

/** URIs of what a completed attempt wrote, for the nodes downstream. */
export function createCollectOutputs({ plans, assets }: { plans: Plans; assets: Assets }) {
  return async function collectOutputs(place: AttemptPlace & { planNode: string }) {
    const { plan } = await plans.get(place.runId);
    const node = planNodeOf(plan, place.planNode);
    if (node === undefined) throw new Error(`the plan of ${place.runId} has no node ${place.planNode}`);
    const entries = Object.keys(node.outputs).map(
      async (output) => [output, await assets.outputUri(node, output, place)] as const,
    );
    return { outputs: Object.fromEntries(await Promise.all(entries)) };
  };
}
