// The items of a `parallel_for`: a list of mappings, or a mapping of mappings, each giving values to inputs of the body.
import { pythonText } from "../python-text.ts";
import { conform } from "../conform-value.ts";
import { type Field, fieldOf } from "../issue-list.ts";
import { toLiteralUri } from "../literal-uri.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";
import { type Mapping, describe, isMapping } from "../shape.ts";
import { readValue } from "../step-inputs.ts";
import type { Value } from "../value.ts";
import { type Item, maxIterations } from "./loop-plan.ts";

/** The mappings in `written`, or what is wrong with it. */
export function listItems(
  written: unknown,
): { items: readonly { key: string | number; item: Mapping }[] } | { problem: string } {
  const entries: [string | number, unknown][] | undefined = Array.isArray(written)
    ? (written as unknown[]).map((item, index) => [index, item])
    : isMapping(written)
      ? Object.entries(written)
      : undefined;
  if (entries === undefined) return { problem: `expected a list of mappings, got ${describe(written)}` };
  if (entries.length > maxIterations)
    return { problem: `there are ${entries.length} items; a loop runs ${maxIterations} times at most` };
  const items: { key: string | number; item: Mapping }[] = [];
  for (const [key, item] of entries) {
    if (!isMapping(item))
      return { problem: `expected item ${items.length + 1} to be a mapping of inputs, got ${describe(item)}` };
    items.push({ key, item });
  }
  return { items };
}

/** Names that the items give values to, in the order of their first use. */
export function givenNames(items: readonly { item: Mapping }[]): string[] {
  return [...new Set(items.flatMap(({ item }) => Object.keys(item)))];
}

/** What the items of a document give, each value as its input wants it. */
export function readItems(
  loop: Step,
  body: Step,
  written: unknown,
  field: Field,
  compiler: PlanCompiler,
): { items: Item[]; values: ReadonlyMap<string, Value> } | undefined {
  const { list } = compiler;
  const listed = listItems(written);
  if ("problem" in listed) {
    list.error(field, listed.problem);
    return undefined;
  }
  if (listed.items.length === 0) {
    list.error(field, "there is no item");
    return undefined;
  }
  const names = givenNames(listed.items);
  /** Of each input the first value, which says what the others are too. */
  const values = new Map<string, Value>();
  const items = listed.items.map(({ key, item }) => {
    const place = fieldOf(field.path, written, key);
    const missing = names.find((name) => !Object.hasOwn(item, name));
    if (missing !== undefined)
      list.error(place, `every item has to give the same inputs, and this one has no \`${missing}\``);
    const given: Record<string, string> = {};
    for (const name of Object.keys(item)) {
      const at = fieldOf(place.path, item, name);
      if (!isInput(body, name)) {
        const among = body.declaredInputs?.keys() ?? [];
        list.error(at, `the body \`${body.name}\` has no input \`${name}\``, { atKey: true, nearest: { name, among } });
        continue;
      }
      const value = readValue(item, name, loop.scope, at, compiler);
      const conformed = value === undefined ? undefined : conform(value, body.declaredInputs?.get(name), at, compiler);
      if (conformed === undefined) list.error(at, `\`${name}\` has no value`);
      else if (conformed.kind === "output")
        list.error(at, "an item cannot read another node's output; bind all of `items` to one, or give it to the body");
      else {
        if (!values.has(name)) values.set(name, conformed);
        if (conformed.kind === "literal") given[name] = toLiteralUri(pythonText(conformed.literal));
        if (conformed.kind === "data") given[name] = conformed.uri;
      }
    }
    return given;
  });
  return { items, values };
}

/** Without declarations an input is declared by its use. */
function isInput({ declaredInputs }: Step, name: string): boolean {
  return declaredInputs === undefined ? /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) : declaredInputs.has(name);
}
