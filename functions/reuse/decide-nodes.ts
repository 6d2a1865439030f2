// Decides which nodes of a graph another run's nodes can stand for: those that may start now, and whatever follows from them
// alone. One walk asks what has been made by keys, one look at the store whether all of it is still there; where it is not,
// the walk is repeated without it.
import type { Log } from "#shared/log.ts";
import { ingredientsOf, nodeKey } from "#shared/domain/node-key.ts";
import { graphOf, type Plan, type PlanNode } from "#shared/domain/plan.ts";
import type { NodeRecipe, RememberedNode, RememberedOutput } from "#shared/domain/remembered-node.ts";
import { whyNeverReused } from "#shared/domain/reuse-rules.ts";
import type { Assets } from "../assets.ts";
import type { DataIdentities } from "./data-identities.ts";
import { createNodeFacts, type FoundFacts } from "./node-facts.ts";
import type { NodeMemory } from "./node-memory.ts";

export interface ReadyNode {
  readonly node: string;
  /** `node.output` -> URI of what it may read. */
  readonly upstream: Readonly<Record<string, string>>;
  /** `node.output` -> identity of the same. */
  readonly identities: Readonly<Record<string, string>>;
}

export interface Decision {
  readonly recipe: NodeRecipe;
  readonly found: FoundFacts;
  /** What stands for the node; absent when it has to run. */
  readonly stands?: RememberedNode;
}

export type Decisions = ReadonlyMap<string, Decision>;

interface Keyed {
  readonly node: PlanNode;
  readonly key: string;
  readonly found: FoundFacts;
}

/** What had been made before a run began. */
interface Earlier {
  /** The latest nodes of the pipeline by name. */
  readonly byNode: ReadonlyMap<string, RememberedNode>;
  readonly byKey: ReadonlyMap<string, RememberedNode>;
  /** Nodes of the run that is continued, by name. */
  readonly continued: ReadonlyMap<string, RememberedNode>;
}

export interface DecideClients {
  readonly assets: Assets;
  readonly data: DataIdentities;
  readonly memory: NodeMemory;
  readonly log: Log;
}

export function createDecideNodes({ assets, data, memory, log }: DecideClients) {
  /** By run: one read serves all of its starts. */
  const before = new Map<string, Promise<Earlier>>();

  async function readEarlier({ pipeline, continues }: Plan): Promise<Earlier> {
    const [byNode, continued] = await Promise.all([
      memory.latest(pipeline),
      continues?.takesOver === true ? memory.readRun(continues.runId) : {},
    ]);
    const reusable = Object.values(byNode).filter(({ isReusable }) => isReusable);
    return {
      byNode: new Map(Object.entries(byNode)),
      byKey: new Map(reusable.map((node) => [node.key, node])),
      continued: new Map(Object.entries(continued)),
    };
  }

  function earlierThan(runId: string, plan: Plan): Promise<Earlier> {
    const known = before.get(runId) ?? readEarlier(plan);
    before.set(runId, known);
    known.catch(() => before.delete(runId));
    const oldest = before.keys().next();
    if (before.size > 50 && oldest.done !== true) before.delete(oldest.value);
    return known;
  }

  /**
   * @param runId the run that asks; undefined for a plan that is not a run yet
   * @param ready nodes whose inputs are there
   * @returns a decision for each of `ready`, and for every node that follows from reused ones alone
   */
  return async function decideNodes(
    runId: string | undefined,
    plan: Plan,
    ready: readonly ReadyNode[],
  ): Promise<Decisions> {
    const earlier = await (runId === undefined ? readEarlier(plan) : earlierThan(runId, plan));
    const findFacts = createNodeFacts({ assets, data });
    const graph = new Map(graphOf(plan).nodes.map((node) => [node.name, node]));
    const planned = new Map(plan.nodes.map((node) => [node.name, node]));
    const dependents = Map.groupBy(
      [...graph.values()].flatMap(({ name, dependsOn }) => dependsOn.map((upstream) => ({ name, upstream }))),
      ({ upstream }) => upstream,
    );
    const entries = new Map<string, RememberedNode | undefined>();
    /** What turned out to be gone, and what is there. */
    const gone = new Set<RememberedNode>();
    const present = new Set<RememberedNode>();

    /** Whatever has been made by this key, as far as it has been looked up; best first. */
    function candidates({ node, key, found }: Keyed): RememberedNode[] {
      const never = whyNeverReused(plan, node);
      const own = never?.isFinal === true ? undefined : earlier.continued.get(node.name);
      const mayBeAny = never === undefined && found.unknown.length === 0;
      const others = mayBeAny ? [earlier.byKey.get(key), entries.get(key)] : [];
      return [own?.key === key ? own : undefined, ...others].filter((one) => one !== undefined);
    }

    const standsFor = (keyed: Keyed) => candidates(keyed).find((one) => !gone.has(one));

    /** Looks up the keys that nothing stands for yet. */
    async function lookUp(level: readonly Keyed[]): Promise<void> {
      const wanted = level.filter(
        (keyed) =>
          !entries.has(keyed.key) &&
          standsFor(keyed) === undefined &&
          keyed.found.unknown.length === 0 &&
          whyNeverReused(plan, keyed.node) === undefined,
      );
      const keys = [...new Set(wanted.map(({ key }) => key))];
      const asked = keys.length === 0 ? undefined : await memory.entries(keys);
      for (const key of keys) {
        const entry = asked?.get(key);
        entries.set(key, entry?.isReusable === true ? entry : undefined);
      }
    }

    async function decideLevel(
      names: readonly string[],
      outputs: ReadonlyMap<string, RememberedOutput>,
    ): Promise<[string, Decision][]> {
      const level = await Promise.all(
        names.map(async (name): Promise<Keyed> => {
          const node = planned.get(name);
          if (node === undefined) throw new Error(`the plan has no node ${name}`);
          const found = await findFacts(node, (output) => outputs.get(output));
          return { node, found, key: await nodeKey(ingredientsOf(node, found.facts)) };
        }),
      );
      await lookUp(level);
      return level.map((keyed) => {
        const { node, found, key } = keyed;
        const stands = standsFor(keyed);
        const [missed] = candidates(keyed);
        const previous = earlier.byNode.get(node.name);
        const recipe: NodeRecipe = {
          key,
          facts: { ...found.facts },
          uris: { ...found.uris },
          ...(found.unknown.length === 0 ? {} : { unknown: [...found.unknown] }),
          ...(previous === undefined ? {} : { previous: { runId: previous.runId, key: previous.key } }),
          ...(stands !== undefined || missed === undefined ? {} : { gone: missed.runId }),
        };
        return [node.name, { recipe, found, ...(stands === undefined ? {} : { stands }) }];
      });
    }

    async function walk(): Promise<Map<string, Decision>> {
      const decisions = new Map<string, Decision>();
      const outputs = new Map<string, RememberedOutput>();
      const { onInit } = plan.settings;
      const resolved = new Set(onInit === undefined || ready.some(({ node }) => node === onInit) ? [] : [onInit]);
      for (const { upstream, identities } of ready) {
        for (const [name, uri] of Object.entries(upstream)) {
          const identity = identities[name];
          outputs.set(name, { uri, ...(identity === undefined ? {} : { identity }) });
          resolved.add(name.slice(0, name.lastIndexOf(".")));
        }
      }
      let level = ready.map(({ node }) => node);
      while (level.length > 0) {
        const reused: string[] = [];
        for (const [name, decision] of await decideLevel(level, outputs)) {
          decisions.set(name, decision);
          if (decision.stands === undefined) continue;
          for (const [output, made] of Object.entries(decision.stands.outputs)) outputs.set(`${name}.${output}`, made);
          resolved.add(name);
          reused.push(name);
        }
        const next = new Set(reused.flatMap((name) => (dependents.get(name) ?? []).map((edge) => edge.name)));
        level = [...next].filter(
          (name) => !decisions.has(name) && graph.get(name)?.dependsOn.every((upstream) => resolved.has(upstream)),
        );
      }
      return decisions;
    }

    /** Whether what stands for nodes is still as it was made. @returns false when something was not */
    async function verify(decisions: Decisions): Promise<boolean> {
      const asked = [...decisions].flatMap(([name, { stands }]) =>
        stands === undefined || present.has(stands)
          ? []
          : Object.entries(stands.outputs).map(([output, { uri, identity }]) => {
              const type = planned.get(name)?.outputs[output]?.type ?? "uri_folder";
              return { stands, uri, type, identity };
            }),
      );
      const identities = await data.identifyOutputs(asked);
      for (const [index, { stands, identity }] of asked.entries())
        if (identity === undefined || identities[index] !== identity) gone.add(stands);
      for (const { stands } of decisions.values()) if (stands !== undefined && !gone.has(stands)) present.add(stands);
      return ![...decisions.values()].some(({ stands }) => stands !== undefined && gone.has(stands));
    }

    for (;;) {
      const decisions = await walk();
      if (await verify(decisions)) return decisions;
      log.info({ runId, nodes: gone.size }, "outputs of earlier runs are gone");
    }
  };
}
