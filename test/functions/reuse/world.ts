// Pipelines played without jobs: a run walks its graph as the orchestration does, and a node that has to run writes into its
// outputs what its program would make of what it reads.
import type { Assets } from "#functions/assets.ts";
import { createDataIdentities } from "#functions/reuse/data-identities.ts";
import { createNodeMemory } from "#functions/reuse/node-memory.ts";
import { createReuse } from "#functions/reuse/reuse.ts";
import type { Ml } from "#shared/azure/ml.ts";
import type { NodeResult } from "#shared/domain/node-result.ts";
import { dependenciesOf, graphOf, type Plan, type PlanNode } from "#shared/domain/plan.ts";
import type { RememberedNode } from "#shared/domain/remembered-node.ts";
import { advance, applyResult, initialRunState, upstreamUris } from "#shared/domain/run-state.ts";
import { createLog } from "#shared/log.ts";
import { createBlobStore } from "./blob-store.ts";

/** What a node's program writes, given what it reads by input; undefined lets it fail. */
export type Program = (node: PlanNode, read: Readonly<Record<string, string>>, runId: string) => string | undefined;

const time = "2026-01-05T10:00:00.000Z";
const uriOf = (path: string) => `azureml://datastores/store/paths/${path}`;
const pathOf = (uri: string) => uri.replace("azureml://datastores/store/paths/", "");

export type World = ReturnType<typeof createWorld>;

export function createWorld(options: { environments?: Record<string, string> } = {}) {
  const store = createBlobStore();
  const ml = { dataUri: () => Promise.resolve(undefined) } as unknown as Ml;
  const assets = {
    environmentId: (environment: { id?: string }) =>
      Promise.resolve(options.environments?.[environment.id ?? ""] ?? environment.id ?? ""),
  } as unknown as Assets;
  const log = createLog("error");

  /** A process of the app: what it keeps in mind dies with it. */
  function start() {
    const data = createDataIdentities({ blobs: store.client, ml });
    const memory = createNodeMemory({ blobs: store.client });
    return { data, memory, reuse: createReuse({ assets, data, memory, log }) };
  }
  let process = start();

  function read(node: PlanNode, upstream: Readonly<Record<string, string>>): Record<string, string> {
    const inputs = Object.entries(node.inputs).map(([name, input]) => {
      if (input.kind === "literal") return [name, input.value];
      const uri = input.kind === "data" ? input.uri : (upstream[`${input.node}.${input.output}`] ?? "");
      const folder = pathOf(uri);
      const files = store.paths(folder).map((path) => `${path.slice(folder.length)}=${store.text(path) ?? ""}`);
      return [name, files.join(";")];
    });
    return Object.fromEntries(inputs) as Record<string, string>;
  }

  return {
    store,
    uriOf,
    /** The app is ended and started again. */
    restart: () => void (process = start()),
    get process() {
      return process;
    },

    /** @returns each node's status and what its output holds; `meanwhile` happens while the first node runs */
    async run(runId: string, plan: Plan, program: Program, meanwhile: () => void = () => undefined) {
      const graph = graphOf(plan);
      const state = initialRunState(graph);
      const from: Record<string, string> = {};
      const remembered: Record<string, RememberedNode> = {};
      for (;;) {
        const ready = advance(graph, state, time).map((node) => ({ node, upstream: upstreamUris(graph, state)(node) }));
        if (ready.length === 0) break;
        const decisions = await process.reuse.decideNodes(runId, plan, ready);
        for (const result of await process.reuse.takeReused(runId, plan, decisions, time)) {
          applyResult(state, result);
          from[result.node] = result.reusedFrom.runId;
        }
        const started = ready.filter(({ node }) => decisions.get(node)?.stands === undefined);
        await process.reuse.keepData(decisions);
        await process.reuse.prepare(
          runId,
          plan,
          started.map(({ node }) => node),
        );
        for (const { node: name, upstream } of started) {
          const node = plan.nodes.find((one) => one.name === name);
          const recipe = decisions.get(name)?.recipe;
          if (node === undefined || recipe === undefined) throw new Error(`no recipe for ${name}`);
          const made = program(node, read(node, upstream), runId);
          meanwhile();
          const base = {
            node: name,
            attempt: 1,
            refused: [],
            startTime: time,
            endTime: time,
            jobName: `${runId}-${name}-1`,
          };
          if (made === undefined) {
            applyResult(state, { ...base, status: "failed", failure: { reason: "it failed" } });
            continue;
          }
          const outputs = Object.fromEntries(
            Object.keys(node.outputs).map((output) => [output, uriOf(`mlpipe/runs/${runId}/${name}/1/${output}/`)]),
          );
          for (const uri of Object.values(outputs)) store.put(`${pathOf(uri)}file`, made);
          const result: Extract<NodeResult, { status: "completed" }> = { ...base, status: "completed", outputs };
          const node_ = await process.reuse.remember(runId, plan, result, recipe);
          if (node_ !== null) remembered[name] = node_;
          applyResult(state, result);
        }
      }
      if (Object.keys(remembered).length > 0) await process.reuse.rememberRun(runId, plan, remembered);
      const statuses = Object.fromEntries(Object.entries(state.nodes).map(([name, { status }]) => [name, status]));
      const contents = Object.fromEntries(
        Object.entries(state.uris).map(([name, uri]) => [
          name.slice(0, name.lastIndexOf(".")),
          store.text(`${pathOf(uri)}file`),
        ]),
      );
      return { statuses, from, contents, uris: state.uris };
    },
  };
}

/** A node with one output `out`. */
export function planNode(name: string, more: Partial<PlanNode> = {}): PlanNode {
  return {
    name,
    kind: "command",
    component: { name },
    command: `run ${name}`,
    environment: { kind: "inline", image: "busybox" },
    inputs: {},
    outputs: { out: { type: "uri_folder", mode: "rw_mount" } },
    environmentVariables: {},
    resources: { instanceTypes: [], instanceCount: 1 },
    tags: {},
    isDeterministic: true,
    forceRerun: false,
    ...more,
  };
}

export const reads = (node: string): PlanNode["inputs"][string] => {
  return { kind: "output", type: "uri_folder", node, output: "out", mode: "ro_mount" };
};

export const readsData = (uri: string): PlanNode["inputs"][string] => ({
  kind: "data",
  type: "uri_folder",
  uri,
  mode: "ro_mount",
});

export const literal = (value: string): PlanNode["inputs"][string] => ({ kind: "literal", value });

export function planOf(nodes: readonly PlanNode[], more: Partial<Plan> = {}): Plan {
  const names = new Set(nodes.map(({ name }) => name));
  for (const node of nodes)
    for (const name of dependenciesOf(node)) if (!names.has(name)) throw new Error(`no node ${name}`);
  return {
    pipeline: "p",
    experimentName: "e",
    tags: {},
    settings: { continueOnStepFailure: false, forceRerun: false },
    nodes: [...nodes],
    outputs: {},
    ...more,
  };
}
