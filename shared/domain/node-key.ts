// What a node's result depends on, and the key that is the same when all of it is the same. What counts, what does not and why
// is in docs/decisions/0005-node-keys.md.
import { canonicalJson } from "./canonical-json.ts";
import type { PlanInput, PlanNode } from "./plan.ts";
import { textHash } from "./text-hash.ts";

/** Part of every key: a change of the formula changes it, so that keys of two formulas never match. */
const version = 1;

/** Ingredient -> its canonical JSON. Names are a field of the plan's node, or `field.member`. */
export type Ingredients = Readonly<Record<string, string>>;

/**
 * What the plan cannot know: `inputs.{name}` -> identity of that data, `code` -> identity of code that lies at an address of the
 * author's, `environment` -> the version that a label means at the moment.
 */
export type NodeFacts = Readonly<Record<string, string>>;

type FieldOf<N> = N extends unknown ? keyof N : never;

/** Whether a field of a node can change what it makes: as written, in parts (below), or not. A new field does not compile until that is decided. */
const counts = {
  name: "no",
  kind: "as written",
  displayName: "no",
  component: "no",
  command: "as written",
  code: "in parts",
  environment: "in parts",
  inputs: "in parts",
  outputs: "as written",
  environmentVariables: "as written",
  compute: "no",
  resources: "in parts",
  timeoutSeconds: "no",
  policy: "no",
  distribution: "as written",
  identity: "no",
  services: "no",
  queueSettings: "no",
  tags: "no",
  isDeterministic: "no",
  forceRerun: "no",
  sweep: "as written",
} as const satisfies Record<FieldOf<PlanNode>, "as written" | "in parts" | "no">;

/** Everything that the result of `node` depends on; data that `facts` does not know counts by its address. */
export function ingredientsOf(node: PlanNode, facts: NodeFacts): Ingredients {
  const found: Record<string, string> = {};
  const add = (field: string, value: unknown) => {
    if (typeof value !== "object" || value === null) {
      if (value !== undefined) found[field] = canonicalJson(value);
      return;
    }
    for (const [member, part] of Object.entries(value))
      if (part !== undefined) found[`${field}.${member}`] = canonicalJson(part);
  };
  for (const [field, value] of Object.entries(node))
    if (counts[field as keyof typeof counts] === "as written") add(field, value);
  for (const [name, input] of Object.entries(node.inputs))
    found[`inputs.${name}`] = canonicalJson(inputPart(input, facts[`inputs.${name}`]));
  add("code", codePart(node.code, facts["code"]));
  add("environment", environmentPart(node.environment, facts["environment"]));
  add("resources", resourcesPart(node.resources));
  return found;
}

function inputPart(input: PlanInput, identity: string | undefined): unknown {
  if (input.kind === "literal") return input.value;
  return { type: input.type, mode: input.mode, data: identity ?? (input.kind === "data" ? `at ${input.uri}` : "none") };
}

function codePart(code: PlanNode["code"], identity: string | undefined): unknown {
  if (code?.kind === "upload") return identity === undefined ? { hash: code.hash } : { data: identity };
  return code === undefined ? undefined : { id: code.id };
}

function environmentPart(environment: PlanNode["environment"], id: string | undefined): unknown {
  if (environment.kind === "asset") return { id: id ?? environment.id };
  // Under which name it is registered changes nothing in it.
  const { kind: _kind, name: _name, ...content } = environment;
  return content;
}

/** How the program is spread counts, the machine does not: which of a node's sizes it gets is chance. */
function resourcesPart({ instanceTypes: _sizes, shmSize: _memory, ...rest }: PlanNode["resources"]): unknown {
  return rest;
}

/** 64 hex digits: the same for the same ingredients. */
export async function nodeKey(ingredients: Ingredients): Promise<string> {
  const entries = Object.entries(ingredients).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return textHash(JSON.stringify(["mlpipe node", version, entries]));
}
