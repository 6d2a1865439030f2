import type { AttemptPlace } from "#shared/domain/layout.ts";
import type { Plans } from "#shared/plans.ts";
import type { Assets } from "../assets.ts";
import type { DataIdentities } from "../reuse/data-identities.ts";

/** Where a completed attempt's outputs lie, and what they are. */
export function createCollectOutputs({ plans, assets, data }: { plans: Plans; assets: Assets; data: DataIdentities }) {
  return async function collectOutputs(place: AttemptPlace & { planNode: string }) {
    const { plan } = await plans.get(place.runId);
    const node = plan.nodes.find(({ name }) => name === place.planNode);
    if (node === undefined) throw new Error(`the plan of ${place.runId} has no node ${place.planNode}`);
    const outputs = await Promise.all(
      Object.entries(node.outputs).map(async ([name, { type }]) => {
        return { name, type, uri: await assets.outputUri(node, name, place) };
      }),
    );
    const identities = await data.identifyOutputs(outputs);
    const told = outputs.flatMap(({ name }, index) =>
      identities[index] === undefined ? [] : [[name, identities[index]]],
    );
    return {
      outputs: Object.fromEntries(outputs.map(({ name, uri }) => [name, uri])),
      identities: Object.fromEntries(told) as Record<string, string>,
    };
  };
}
