// Looks up what the plan of a node cannot know: what its data is at this moment, and which version a label of its environment
// means.
import type { FileVersion } from "#shared/domain/data-identity.ts";
import { uploadFolder } from "#shared/domain/layout.ts";
import type { PlanNode } from "#shared/domain/plan.ts";
import type { RememberedOutput } from "#shared/domain/remembered-node.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { Assets } from "../assets.ts";
import type { DataIdentities, DataPlace, IdentifiedData } from "./data-identities.ts";

export interface FoundFacts {
  /** NodeFacts of node-key.ts. */
  readonly facts: Readonly<Record<string, string>>;
  /** What cannot be told apart, in words; empty when all can. */
  readonly unknown: readonly string[];
  /** Input -> URI of its data. */
  readonly uris: Readonly<Record<string, string>>;
  /** Files by identity, of data that exists outside a run. */
  readonly files: ReadonlyMap<string, readonly FileVersion[]>;
}

export type NodeFactsFinder = ReturnType<typeof createNodeFacts>;

/**
 * A finder for one look at a graph: data is listed once in its life, so it must not outlive the look.
 *
 * @returns facts of a node whose upstream outputs (`node.output`) are known
 */
export function createNodeFacts({ assets, data }: { assets: Assets; data: DataIdentities }) {
  const looks = new Map<string, Promise<IdentifiedData>>();

  function look(place: DataPlace): Promise<IdentifiedData> {
    const key = `${place.type} ${place.uri}`;
    const known = looks.get(key) ?? data.identify(place);
    looks.set(key, known);
    return known;
  }

  return async function findFacts(
    node: PlanNode,
    upstream: (name: string) => RememberedOutput | undefined,
  ): Promise<FoundFacts> {
    const facts: Record<string, string> = {};
    const unknown: string[] = [];
    const uris: Record<string, string> = {};
    const files = new Map<string, readonly FileVersion[]>();

    async function findInput(name: string, input: PlanNode["inputs"][string]): Promise<void> {
      if (input.kind === "literal") return;
      const made = input.kind === "output" ? upstream(`${input.node}.${input.output}`) : undefined;
      if (input.kind === "output" && made === undefined) return;
      const uri = input.kind === "data" ? input.uri : (made?.uri ?? "");
      uris[name] = uri;
      // Its file may name data anywhere.
      if (input.type === "mltable")
        unknown.push(`input ${name} is an MLTable, which may read data that lies elsewhere`);
      let identity = made?.identity;
      if (input.kind === "data") {
        const found = await look({ uri, type: input.type });
        if (found.identity === undefined) unknown.push(`input ${name}: ${found.unknown}`);
        else files.set(found.identity, found.files);
        identity = found.identity;
      } else if (identity === undefined) unknown.push(`input ${name}: what ${input.node} made cannot be told apart`);
      // A program that is given the address itself may write it down.
      if (identity !== undefined)
        facts[`inputs.${name}`] = input.mode === "direct" ? `${identity} at ${uri}` : identity;
    }

    async function findCode({ code }: PlanNode): Promise<void> {
      if (code?.kind !== "upload" || code.uri.includes(uploadFolder(code.hash).slice(0, -1))) return;
      const found = await look({ uri: code.uri, type: "uri_folder" });
      if (found.identity === undefined) unknown.push(`code: ${found.unknown}`);
      else facts["code"] = found.identity;
    }

    async function findEnvironment({ environment }: PlanNode): Promise<void> {
      if (environment.kind !== "asset") return;
      if (/^azureml:\/\/.*\/labels\//.test(environment.id)) {
        unknown.push(`environment: ${environment.id} may mean another version at any time; name a version`);
        return;
      }
      try {
        facts["environment"] = await assets.environmentId(environment);
      } catch (error) {
        if (!isMlpipeError(error) || error.code === "Unavailable") throw error;
        unknown.push(`environment: ${error.message}`);
      }
    }

    const inputs = Object.entries(node.inputs).map(([name, input]) => findInput(name, input));
    await Promise.all([...inputs, findCode(node), findEnvironment(node)]);
    return { facts, unknown: unknown.toSorted(), uris, files };
  };
}
