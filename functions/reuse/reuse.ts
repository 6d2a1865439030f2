// Reuse as the activities know it: before nodes start, which need not; when one has completed, what to remember of it; when a run
// has ended, what to write down for the next.
import { ingredientsOf } from "#shared/domain/node-key.ts";
import { hideSecrets } from "#shared/domain/hide-secrets.ts";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { runsFolder } from "#shared/domain/layout.ts";
import type { NodeResult, ReusedResult } from "#shared/domain/node-result.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";
import type { CacheEntry, NodeRecipe, RememberedNode } from "#shared/domain/remembered-node.ts";
import { whyNeverReused } from "#shared/domain/reuse-rules.ts";
import { withoutSecrets } from "#shared/log.ts";
import { createDecideNodes, type DecideClients, type Decisions } from "./decide-nodes.ts";

export type Reuse = ReturnType<typeof createReuse>;

type Completed = Extract<NodeResult, { status: "completed" }>;

export function createReuse({ assets, data, memory, log }: DecideClients) {
  const decideNodes = createDecideNodes({ assets, data, memory, log });

  /** Whether the data that may have changed while the node ran is still what the node was started with. */
  async function isStillSame(node: PlanNode, { facts, uris }: NodeRecipe): Promise<boolean> {
    const checks = Object.entries(node.inputs).map(async ([name, input]) => {
      const uri = uris[name];
      const fact = facts[`inputs.${name}`];
      if (input.kind === "literal" || uri === undefined || fact === undefined) return true;
      // What runs have written below their own folders stays as it is.
      if (input.kind === "output" && parseDatastoreUri(uri)?.path.startsWith(runsFolder) === true) return true;
      const { identity } = await data.identify({ uri, type: input.type });
      return identity !== undefined && fact.startsWith(identity);
    });
    return (await Promise.all(checks)).every(Boolean);
  }

  return {
    decideNodes,

    /** Those of `decisions` that need not run, as results; noted beside the run and beside the runs that made them. */
    async takeReused(runId: string, decisions: Decisions, now: string): Promise<ReusedResult[]> {
      const reused = [...decisions].flatMap(([node, { stands }]) =>
        stands === undefined ? [] : [toResult(node, stands, now)],
      );
      await memory.noteReused(runId, reused);
      return reused;
    },

    /** Keeps what was seen of data that exists outside a run: when it has changed, nobody can look it up any more. */
    async keepData(decisions: Decisions): Promise<void> {
      const all = [...decisions.values()].flatMap(({ found }) => [...found.files]);
      await Promise.all(all.map(([identity, files]) => memory.keepFiles(identity, files)));
    },

    /** Remembers a completed node. */
    async remember(runId: string, plan: Plan, result: Completed, recipe: NodeRecipe): Promise<void> {
      const node = plan.nodes.find(({ name }) => name === result.node);
      if (node === undefined) return;
      const never = whyNeverReused(plan, node);
      const { identities = {}, outputs, jobName, instanceType, startTime, endTime } = result;
      const isKnown =
        recipe.unknown === undefined && Object.keys(node.outputs).every((name) => Object.hasOwn(identities, name));
      const isReusable = (never?.isRemembered ?? true) && isKnown && (await isStillSame(node, recipe));
      const entry: CacheEntry = {
        key: recipe.key,
        isReusable,
        pipeline: plan.pipeline,
        runId,
        node: result.node,
        component: node.component.name,
        ...(jobName === undefined ? {} : { jobName }),
        ...(instanceType === undefined ? {} : { instanceType }),
        startTime,
        endTime,
        outputs: Object.fromEntries(
          Object.entries(outputs).map(([name, uri]) => {
            const identity = identities[name];
            return [name, { uri, ...(identity === undefined ? {} : { identity }) }];
          }),
        ),
        ingredients: { ...(await hideSecrets(ingredientsOf(node, recipe.facts), withoutSecrets)) },
        data: recipe.uris,
      };
      await memory.remember(entry);
    },

    /** Writes down what the nodes of an ended run have made, for runs that continue it and for the pipeline's next. */
    async rememberRun(runId: string, plan: Plan, keys: Readonly<Record<string, string>>): Promise<void> {
      const nodes = await memory.ofRun(runId, keys);
      await Promise.all([memory.writeRun(runId, nodes), memory.addLatest(plan.pipeline, nodes)]);
    },
  };
}

function toResult(node: string, stands: RememberedNode, now: string): ReusedResult {
  const { key, runId, jobName, instanceType, outputs } = stands;
  const made = Object.entries(outputs);
  return {
    status: "reused",
    node,
    attempt: 0,
    refused: [],
    startTime: now,
    endTime: now,
    ...(jobName === undefined ? {} : { jobName }),
    ...(instanceType === undefined ? {} : { instanceType }),
    key,
    outputs: Object.fromEntries(made.map(([name, { uri }]) => [name, uri])),
    identities: Object.fromEntries(
      made.flatMap(([name, { identity }]) => (identity === undefined ? [] : [[name, identity]])),
    ),
    reusedFrom: { runId, node: stands.node, ...(jobName === undefined ? {} : { jobName }) },
  };
}
