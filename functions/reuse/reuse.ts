// Reuse as the activities know it: before nodes start, which need not; when one has completed, what to remember of it; when a run
// has ended, what to write down for the next.
import { ingredientsOf, nodeKey } from "#shared/domain/node-key.ts";
import { hideSecrets } from "#shared/domain/hide-secrets.ts";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { runsFolder } from "#shared/domain/layout.ts";
import type { NodeResult, ReusedResult } from "#shared/domain/node-result.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";
import type { CacheEntry, NodeRecipe, RememberedNode, RememberedOutput } from "#shared/domain/remembered-node.ts";
import { whyNeverReused } from "#shared/domain/reuse-rules.ts";
import { withoutSecrets } from "#shared/log.ts";
import { createNodeFacts, readBy } from "./node-facts.ts";
import { createDecideNodes, type DecideClients, type Decisions } from "./decide-nodes.ts";

export type Reuse = ReturnType<typeof createReuse>;

type Completed = Extract<NodeResult, { status: "completed" }>;

export function createReuse({ assets, data, memory, log }: DecideClients) {
  const { decideNodes, prepare } = createDecideNodes({ assets, data, memory, log });

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

  async function identifyOutputs({ outputs }: PlanNode, result: Completed): Promise<Record<string, RememberedOutput>> {
    const made = Object.entries(result.outputs).map(async ([name, uri]) => {
      const { identity } = await data.identifyMade({ uri, type: outputs[name]?.type ?? "uri_folder" });
      return [name, { uri, ...(identity === undefined ? {} : { identity }) }];
    });
    return Object.fromEntries(await Promise.all(made)) as Record<string, RememberedOutput>;
  }

  return {
    decideNodes,
    prepare,

    /** Those of `decisions` that need not run, as results; noted beside the run and beside the runs that made them. */
    async takeReused(runId: string, plan: Plan, decisions: Decisions, now: string): Promise<ReusedResult[]> {
      const reused = [...decisions].flatMap(([node, { stands }]) =>
        stands === undefined ? [] : [toResult(node, stands, now)],
      );
      // What was made long ago, or for another pipeline, is the latest of this one now.
      const returned = [...decisions].flatMap(([node, { stands, recipe }]) =>
        stands === undefined || recipe.previous?.key === stands.key ? [] : [[node, stands] as const],
      );
      await Promise.all([
        memory.noteReused(runId, reused),
        memory.addLatest(plan.pipeline, Object.fromEntries(returned)),
      ]);
      return reused;
    },

    /** Keeps what was seen of data that exists outside a run: when it has changed, nobody can look it up any more. */
    async keepData(decisions: Decisions): Promise<void> {
      const all = [...decisions.values()].flatMap(({ own }) => [...own.files]);
      await Promise.all(all.map(([identity, files]) => memory.keepFiles(identity, files)));
    },

    /** Remembers a completed node. */
    async remember(runId: string, plan: Plan, result: Completed, recipe: NodeRecipe): Promise<RememberedNode | null> {
      const node = plan.nodes.find(({ name }) => name === result.node);
      if (node === undefined) return null;
      const { jobName, instanceType, startTime, endTime } = result;
      const [upstream, outputs, isSame] = await Promise.all([
        createNodeFacts({ assets, data }).upstream(node, readBy(node, recipe)),
        identifyOutputs(node, result),
        isStillSame(node, recipe),
      ]);
      const facts = { ...recipe.facts, ...upstream.facts };
      const isKnown = recipe.unknown === undefined && upstream.unknown.length === 0;
      const isToldApart = Object.values(outputs).every(({ identity }) => identity !== undefined);
      const entry: CacheEntry = {
        key: await nodeKey(node, facts),
        isReusable: (whyNeverReused(plan, node)?.isRemembered ?? true) && isKnown && isToldApart && isSame,
        pipeline: plan.pipeline,
        runId,
        node: result.node,
        component: node.component.name,
        ...(jobName === undefined ? {} : { jobName }),
        ...(instanceType === undefined ? {} : { instanceType }),
        startTime,
        endTime,
        outputs,
        ingredients: { ...(await hideSecrets(ingredientsOf(node, facts), withoutSecrets)) },
        data: recipe.uris,
      };
      return memory.remember(entry);
    },

    /** Writes down what the nodes of an ended run have made, for runs that continue it and for the pipeline's next. */
    async rememberRun(runId: string, plan: Plan, nodes: Readonly<Record<string, RememberedNode>>): Promise<void> {
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
