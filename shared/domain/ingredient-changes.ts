// The difference between two lists of ingredients, in words and values that a person knows from the files they wrote.
import { z } from "zod";
import { plainText } from "./hide-secrets.ts";
import type { Ingredients } from "./node-key.ts";
import { isMapping } from "./shape.ts";

export const IngredientChange = z.object({
  /** `inputs.epochs`, `code: prep.py`, `environment.condaFile`, `inputs.images: train.csv`, ... */
  ingredient: z.string(),
  /** Absent when there was none. */
  before: z.string().optional(),
  /** Absent when there is none any more. */
  after: z.string().optional(),
});
export type IngredientChange = z.infer<typeof IngredientChange>;

/** Lines told of a text that differs. */
const toldLines = 8;

/** Every ingredient that differs, by name; data and code are told by their hashes alone. */
export function ingredientChanges(before: Ingredients, after: Ingredients): IngredientChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((name) => {
    const [one, other] = [before[name], after[name]];
    return one === other ? [] : valueChanges(name, parse(one), parse(other));
  });
}

function valueChanges(ingredient: string, before: unknown, after: unknown): IngredientChange[] {
  if (isMapping(before) && isMapping(after)) {
    const members = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
    return members.flatMap((member) => {
      const [one, other] = [before[member], after[member]];
      return JSON.stringify(one) === JSON.stringify(other) ? [] : valueChanges(`${ingredient}.${member}`, one, other);
    });
  }
  if (typeof before === "string" && typeof after === "string" && (before.includes("\n") || after.includes("\n")))
    return [{ ingredient, ...changedLines(before, after) }];
  return [{ ingredient, ...shown("before", before), ...shown("after", after) }];
}

/** The lines in which two texts differ: those between their common beginning and their common end. */
export function changedLines(before: string, after: string): { before?: string; after?: string } {
  const [one, other] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < Math.min(one.length, other.length) - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return {
    ...told("before", one.slice(start, one.length - end)),
    ...told("after", other.slice(start, other.length - end)),
  };
}

function told(side: "before" | "after", lines: readonly string[]): { before?: string; after?: string } {
  if (lines.length === 0) return {};
  const more = lines.length > toldLines ? [`… ${lines.length - toldLines} more lines`] : [];
  return { [side]: [...lines.slice(0, toldLines), ...more].map((line) => line.slice(0, 200)).join("\n") };
}

function shown(side: "before" | "after", value: unknown): { before?: string; after?: string } {
  if (value === undefined) return {};
  return { [side]: typeof value === "string" ? value : JSON.stringify(value) };
}

function parse(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  return json.startsWith('"') ? plainText(json) : (JSON.parse(json) as unknown);
}

/** `inputs.epochs: 2 -> 3`, and how many more. */
export function summarizeChanges(changes: readonly IngredientChange[]): string {
  const [first, ...more] = changes;
  if (first === undefined) return "nothing that counts has changed";
  const value = (text: string | undefined) => (text === undefined ? "none" : (text.split("\n")[0] ?? "").slice(0, 60));
  return `${first.ingredient}: ${value(first.before)} -> ${value(first.after)}${more.length === 0 ? "" : `, and ${more.length} more`}`;
}
