// Looks up what the plan of a node cannot know: what its data is at this moment, and which version a label of its environment
// means.
import type { FileVersion } from "#shared/domain/data-identity.ts";
import { isContentAddressed } from "#shared/domain/node-key.ts";
import type { PlanInput, PlanNode } from "#shared/domain/plan.ts";
import type { NodeRecipe, RememberedOutput } from "#shared/domain/remembered-node.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { Assets } from "../assets.ts";
import type { DataIdentities, DataPlace, IdentifiedData } from "./data-identities.ts";

export interface FoundFacts {
  /** NodeFacts of node-key.ts. */
  readonly facts: Readonly<Record<string, string>>;
  /** What cannot be told apart, in words; empty when all can. */
  readonly unknown: readonly string[];
}

export interface OwnFacts extends FoundFacts {
  /** Files by identity, of data that exists outside a run. */
  readonly files: ReadonlyMap<string, readonly FileVersion[]>;
}

/** A finder for one look at a graph: data is listed once in its life, so it must not outlive the look. */
export function createNodeFacts({ assets, data }: { assets: Assets; data: DataIdentities }) {
  const looks = new Map<string, Promise<IdentifiedData>>();

  function look(place: DataPlace): Promise<IdentifiedData> {
    const key = `${place.type} ${place.uri}`;
    const known = looks.get(key) ?? data.identify(place);
    looks.set(key, known);
    return known;
  }

  async function findEnvironment({ environment }: PlanNode): Promise<{ id?: string; unknown?: string }> {
    if (environment.kind !== "asset") return {};
    if (/^azureml:\/\/.*\/labels\//.test(environment.id))
      return { unknown: `environment: ${environment.id} may mean another version at any time; name a version` };
    try {
      return { id: await assets.environmentId(environment) };
    } catch (error) {
      if (!isMlpipeError(error) || error.code === "Unavailable") throw error;
      return { unknown: `environment: ${error.message}` };
    }
  }

  return {
    /** What a node has of its own: data that exists outside a run, code at an address, its environment. */
    async own(node: PlanNode): Promise<OwnFacts> {
      const facts: Record<string, string> = {};
      const unknown: string[] = [];
      const files = new Map<string, readonly FileVersion[]>();
      const take = async (name: string, place: DataPlace, told = (identity: string) => identity) => {
        const found = await look(place);
        if (found.identity === undefined) return void unknown.push(`${name}: ${found.unknown}`);
        facts[name] = told(found.identity);
        files.set(found.identity, found.files);
      };
      const inputs = Object.entries(node.inputs).map(async ([name, input]) => {
        if (input.kind !== "data") return;
        await take(`inputs.${name}`, input, (identity) => asRead(input, identity, input.uri));
      });
      const { code } = node;
      const environment = findEnvironment(node).then((found) => {
        if (found.id !== undefined) facts["environment"] = found.id;
        if (found.unknown !== undefined) unknown.push(found.unknown);
      });
      const isPlaced = code?.kind === "upload" && !isContentAddressed(code);
      await Promise.all([
        ...inputs,
        environment,
        isPlaced ? take("code", { uri: code.uri, type: "uri_folder" }) : undefined,
      ]);
      for (const [name, input] of Object.entries(node.inputs))
        // Its file may name data anywhere.
        if (input.kind !== "literal" && input.type === "mltable")
          unknown.push(`inputs.${name}: an MLTable may read data that lies elsewhere`);
      return { facts, unknown: unknown.toSorted(), files };
    },

    /** What a node reads of others. @param outputs `node.output` -> what is known of it; one that is not there was not made */
    async upstream(node: PlanNode, outputs: ReadonlyMap<string, RememberedOutput>): Promise<FoundFacts> {
      const facts: Record<string, string> = {};
      const unknown: string[] = [];
      await Promise.all(
        Object.entries(node.inputs).map(async ([name, input]) => {
          const made = input.kind === "output" ? outputs.get(`${input.node}.${input.output}`) : undefined;
          if (input.kind !== "output" || made === undefined) return;
          const { uri } = made;
          const identity = made.identity ?? (await data.identifyMade({ uri, type: input.type })).identity;
          if (identity === undefined) unknown.push(`inputs.${name}: what ${input.node} made cannot be told apart`);
          else facts[`inputs.${name}`] = asRead(input, identity, uri);
        }),
      );
      return { facts, unknown: unknown.toSorted() };
    },
  };
}

/** The outputs of other nodes that a node has read. */
export function readBy(node: PlanNode, { uris }: NodeRecipe): Map<string, RememberedOutput> {
  const read = Object.entries(node.inputs).flatMap(([name, input]): [string, RememberedOutput][] => {
    const uri = uris[name];
    return input.kind === "output" && uri !== undefined ? [[`${input.node}.${input.output}`, { uri }]] : [];
  });
  return new Map(read);
}

/** A program that is given the address itself may write it down. */
function asRead(input: Exclude<PlanInput, { kind: "literal" }>, identity: string, uri: string): string {
  return input.mode === "direct" ? `${identity} at ${uri}` : identity;
}
