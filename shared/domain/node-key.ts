// What a node's result depends on, and the key that is the same when all of it is the same. What counts, what does not and why
// is in docs/decisions/0005-node-keys.md.
import { canonicalJson } from "./canonical-json.ts";
import { uploadFolder } from "./layout.ts";
import type { CodeReference, PlanInput, PlanNode } from "./plan.ts";
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
  loop: "as written",
  promotion: "as written",
  when: "no",
  refusal: "no",
} as const satisfies Record<FieldOf<PlanNode>, "as written" | "in parts" | "no">;

/** Everything that the result of `node` depends on; data that `facts` does not know counts by its address. */
export function ingredientsOf(node: PlanNode, facts: NodeFacts): Ingredients {
  return collect(node, (name, written) => facts[name] ?? written);
}

/** @param fact what stands for that which only a look can tell, given how the plan names it */
function collect(node: PlanNode, fact: (name: string, written: string) => string): Ingredients {
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
  for (const [name, input] of Object.entries(node.inputs)) {
    const data = (written: string) => fact(`inputs.${name}`, written);
    found[`inputs.${name}`] = canonicalJson(inputPart(input, data));
  }
  if (node.code !== undefined) add("code", codePart(node.code, fact));
  add("environment", environmentPart(node.environment, fact));
  add("resources", resourcesPart(node.resources));
  return found;
}

function inputPart(input: PlanInput, data: (written: string) => string): unknown {
  if (input.kind === "literal") return input.value;
  const { kind, type, mode } = input;
  const written = kind === "data" ? `at ${input.uri}` : "none";
  return { type, mode, literal: kind === "output" ? input.literal : undefined, data: data(written) };
}

/** Whether code is known by its content, which the place of an upload is made of. */
export function isContentAddressed(code: CodeReference): boolean {
  return code.kind === "asset" || code.uri.includes(`/${uploadFolder(code.hash).slice(0, -1)}`);
}

function codePart(code: CodeReference, fact: (name: string, written: string) => string): unknown {
  if (code.kind === "asset") return { id: code.id };
  return isContentAddressed(code) ? { hash: code.hash } : { data: fact("code", `at ${code.uri}`) };
}

function environmentPart(
  environment: PlanNode["environment"],
  fact: (name: string, written: string) => string,
): unknown {
  if (environment.kind === "asset") return { id: fact("environment", environment.id) };
  // Under which name it is registered changes nothing in it.
  const { kind: _kind, name: _name, ...content } = environment;
  return content;
}

/** How the program is spread counts, the machine does not: which of a node's sizes it gets is chance. */
function resourcesPart({ instanceTypes: _sizes, shmSize: _memory, ...rest }: PlanNode["resources"]): unknown {
  return rest;
}

/**
 * The key of a node: the same for the same ingredients.
 *
 * @returns the node's shape, `-`, and 64 hex digits
 */
export async function nodeKey(node: PlanNode, facts: NodeFacts): Promise<string> {
  return `${await nodeShape(node)}-${await hashOf(ingredientsOf(node, facts))}`;
}

/**
 * What a plan alone tells of a node's key. Where nothing of this shape has been made before, nothing of any key with it has, and
 * nobody needs to look at the data.
 *
 * @returns 32 hex digits
 */
export async function nodeShape(node: PlanNode): Promise<string> {
  return (await hashOf(collect(node, () => "*"))).slice(0, 32);
}

export function shapeOf(key: string): string {
  return key.slice(0, key.indexOf("-"));
}

async function hashOf(ingredients: Ingredients): Promise<string> {
  const entries = Object.entries(ingredients).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return textHash(JSON.stringify(["mlpipe node", version, entries]));
}
