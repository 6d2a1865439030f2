// Decides which nodes of a graph another run's nodes can stand for: those that may start now, and whatever follows from them
// alone. One walk asks what has been made by keys, one look at the store whether all of it is still there; where it is not,
// the walk is repeated without it.
import { nodeKey } from "#shared/domain/node-key.ts";
import { graphOf, type Plan, type PlanNode } from "#shared/domain/plan.ts";
import {
  type NodeRecipe,
  type RememberedNode,
  type RememberedOutput,
  toPrevious,
} from "#shared/domain/remembered-node.ts";
import { whyNeverReused } from "#shared/domain/reuse-rules.ts";
import type { Log } from "#shared/log.ts";
import type { Assets } from "../assets.ts";
import type { DataIdentities } from "./data-identities.ts";
import { createEarlierNodes, type Earlier } from "./earlier-nodes.ts";
import { createNodeFacts, type OwnFacts } from "./node-facts.ts";
import type { NodeMemory } from "./node-memory.ts";

export interface ReadyNode {
  readonly node: string;
  /** `node.output` -> URI of what it may read. */
  readonly upstream: Readonly<Record<string, string>>;
}

export interface Decision {
  readonly recipe: NodeRecipe;
  readonly own: OwnFacts;
  /** Absent where nothing of its shape has ever been made, so that nobody had to look at what it reads. */
  readonly key?: string;
  /** What stands for the node; absent when it has to run. */
  readonly stands?: RememberedNode;
}

export type Decisions = ReadonlyMap<string, Decision>;

export interface DecideClients {
  readonly assets: Assets;
  readonly data: DataIdentities;
  readonly memory: NodeMemory;
  readonly log: Log;
}

interface Keyed extends Pick<Decision, "own" | "key"> {
  readonly node: PlanNode;
  /** Whether anything but what is continued may stand for it. */
  readonly mayBeAny: boolean;
  readonly uris: Readonly<Record<string, string>>;
}

export function createDecideNodes({ assets, data, memory, log }: DecideClients) {
  const earlierNodes = createEarlierNodes({ memory });

  /**
   * @param runId the run that asks; undefined for a plan that is not a run yet
   * @param ready nodes whose inputs are there
   * @returns a decision for each of `ready`, and for every node that follows from reused ones alone
   */
  async function decideNodes(runId: string | undefined, plan: Plan, ready: readonly ReadyNode[]): Promise<Decisions> {
    const earlier = await earlierNodes.of(runId, plan);
    const look = createLook({ earlier, plan, facts: createNodeFacts({ assets, data }), memory });
    for (;;) {
      const decisions = await walk(plan, ready, look.decide);
      const gone = await findGone(plan, decisions, look.present);
      if (gone.length === 0) return decisions;
      for (const one of gone) look.gone.add(one);
      log.info({ runId, nodes: gone.length }, "outputs of earlier runs are gone");
    }
  }

  /** Those that stand for nodes and are no longer as they were made. */
  async function findGone(plan: Plan, decisions: Decisions, present: Set<RememberedNode>): Promise<RememberedNode[]> {
    const types = new Map(plan.nodes.map(({ name, outputs }) => [name, outputs]));
    const standing = [...decisions].flatMap(([name, { stands }]) =>
      stands === undefined || present.has(stands) ? [] : [{ name, stands }],
    );
    const asked = standing.flatMap(({ name, stands }) =>
      Object.entries(stands.outputs).map(([output, { uri, identity }]) => {
        return { stands, uri, identity, type: types.get(name)?.[output]?.type ?? "uri_folder" };
      }),
    );
    const identities = await data.identifyOutputs(asked);
    const gone = new Set(
      asked.flatMap(({ stands, identity }, index) =>
        identity === undefined || identities[index] !== identity ? [stands] : [],
      ),
    );
    for (const { stands } of standing) if (!gone.has(stands)) present.add(stands);
    return [...gone];
  }

  return {
    decideNodes,

    /** Asks ahead, while the nodes that have just started run, what may stand for those that read from them. */
    prepare: async (runId: string, plan: Plan, started: readonly string[]): Promise<void> => {
      const earlier = await earlierNodes.of(runId, plan);
      const next = plan.nodes.filter(
        (node) =>
          Object.values(node.inputs).some((input) => input.kind === "output" && started.includes(input.node)) &&
          whyNeverReused(plan, node) === undefined,
      );
      await Promise.all(next.map((node) => earlier.hasShape(node)));
    },
  };
}

/** One look at what has been made: what it finds gone stays gone, and nothing is asked twice. */
function createLook(given: {
  earlier: Earlier;
  plan: Plan;
  facts: ReturnType<typeof createNodeFacts>;
  memory: NodeMemory;
}) {
  const { earlier, plan, facts, memory } = given;
  const planned = new Map(plan.nodes.map((node) => [node.name, node]));
  const entries = new Map<string, RememberedNode | undefined>();
  const gone = new Set<RememberedNode>();

  /** Whatever has been made by this key, as far as it has been looked up; best first. */
  function candidates({ node, key, mayBeAny }: Keyed): RememberedNode[] {
    if (key === undefined) return [];
    const own = whyNeverReused(plan, node)?.isFinal === true ? undefined : earlier.continued.get(node.name);
    const others = mayBeAny ? [earlier.byKey.get(key), entries.get(key)] : [];
    return [own?.key === key ? own : undefined, ...others].filter((one) => one !== undefined);
  }

  const standsFor = (keyed: Keyed) => candidates(keyed).find((one) => !gone.has(one));

  async function toKeyed(name: string, outputs: ReadonlyMap<string, RememberedOutput>): Promise<Keyed> {
    const node = planned.get(name);
    if (node === undefined) throw new Error(`the plan has no node ${name}`);
    const isContinued = earlier.continued.has(name);
    const isOpen = whyNeverReused(plan, node) === undefined;
    const [own, hasShape] = await Promise.all([facts.own(node), isOpen ? earlier.hasShape(node) : false]);
    const uris = urisOf(node, outputs);
    if (!isContinued && !hasShape) return { node, own, uris, mayBeAny: false };
    const upstream = await facts.upstream(node, outputs);
    const key = await nodeKey(node, { ...own.facts, ...upstream.facts });
    return { node, own, uris, key, mayBeAny: isOpen && own.unknown.length + upstream.unknown.length === 0 };
  }

  /** Looks up the keys that nothing stands for yet. */
  async function lookUp(level: readonly Keyed[]): Promise<void> {
    const wanted = level.filter((keyed) => keyed.mayBeAny && standsFor(keyed) === undefined);
    const keys = new Set(wanted.flatMap(({ key }) => (key === undefined || entries.has(key) ? [] : [key])));
    const found = keys.size === 0 ? undefined : await memory.entries([...keys]);
    for (const key of keys) {
      const entry = found?.get(key);
      entries.set(key, entry?.isReusable === true ? entry : undefined);
    }
  }

  function toDecision(keyed: Keyed): Decision {
    const { node, own, key, uris } = keyed;
    const stands = standsFor(keyed);
    const [missed] = candidates(keyed);
    const previous = earlier.byNode.get(node.name);
    const recipe: NodeRecipe = {
      facts: { ...own.facts },
      uris: { ...uris },
      ...(own.unknown.length === 0 ? {} : { unknown: [...own.unknown] }),
      ...(previous === undefined ? {} : { previous: toPrevious(previous) }),
      ...(stands !== undefined || missed === undefined ? {} : { gone: missed.runId }),
    };
    return { recipe, own, ...(key === undefined ? {} : { key }), ...(stands === undefined ? {} : { stands }) };
  }

  return {
    gone,
    present: new Set<RememberedNode>(),

    /** Decides nodes whose inputs are all known. */
    decide: async (
      names: readonly string[],
      outputs: ReadonlyMap<string, RememberedOutput>,
    ): Promise<[string, Decision][]> => {
      const level = await Promise.all(names.map((name) => toKeyed(name, outputs)));
      await lookUp(level);
      return level.map((keyed) => [keyed.node.name, toDecision(keyed)]);
    },
  };
}

/** Input -> URI of its data. */
function urisOf(node: PlanNode, outputs: ReadonlyMap<string, RememberedOutput>): Record<string, string> {
  const uris = Object.entries(node.inputs).map(([name, input]) => {
    if (input.kind === "data") return [name, input.uri];
    return [name, input.kind === "output" ? outputs.get(`${input.node}.${input.output}`)?.uri : undefined];
  });
  return Object.fromEntries(uris.filter(([, uri]) => uri !== undefined)) as Record<string, string>;
}

/** Goes from the nodes that may start through all that follow from reused ones alone, level by level. */
async function walk(
  plan: Plan,
  ready: readonly ReadyNode[],
  decide: ReturnType<typeof createLook>["decide"],
): Promise<Map<string, Decision>> {
  const graph = new Map(graphOf(plan).nodes.map((node) => [node.name, node]));
  const decisions = new Map<string, Decision>();
  const outputs = new Map<string, RememberedOutput>();
  const { onInit } = plan.settings;
  const resolved = new Set(onInit === undefined || ready.some(({ node }) => node === onInit) ? [] : [onInit]);
  for (const { upstream } of ready) {
    for (const [name, uri] of Object.entries(upstream)) {
      outputs.set(name, { uri });
      resolved.add(name.slice(0, name.lastIndexOf(".")));
    }
  }
  let level = ready.map(({ node }) => node);
  let dependents: ReadonlyMap<string, readonly { name: string }[]> | undefined;
  while (level.length > 0) {
    const reused: string[] = [];
    for (const [name, decision] of await decide(level, outputs)) {
      decisions.set(name, decision);
      if (decision.stands === undefined) continue;
      for (const [output, made] of Object.entries(decision.stands.outputs)) outputs.set(`${name}.${output}`, made);
      resolved.add(name);
      reused.push(name);
    }
    if (reused.length === 0) break;
    dependents ??= Map.groupBy(
      [...graph.values()].flatMap(({ name, dependsOn }) => dependsOn.map((upstream) => ({ name, upstream }))),
      ({ upstream }) => upstream,
    );
    const next = new Set(reused.flatMap((name) => (dependents?.get(name) ?? []).map((edge) => edge.name)));
    level = [...next].filter(
      (name) => !decisions.has(name) && graph.get(name)?.dependsOn.every((upstream) => resolved.has(upstream)),
    );
  }
  return decisions;
}
