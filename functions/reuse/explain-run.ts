// Says in words why a node runs although it has run before: the rule that forbids reuse, or the ingredients that have changed
// since the nearest earlier run, with both values.
import type { NodeExplanation } from "#shared/api.ts";
import type { Blobs } from "#shared/azure/blob.ts";
import type { FileVersion } from "#shared/domain/data-identity.ts";
import { hideSecrets } from "#shared/domain/hide-secrets.ts";
import {
  changedLines,
  type IngredientChange,
  ingredientChanges,
  summarizeChanges,
} from "#shared/domain/ingredient-changes.ts";
import { uploadFolder } from "#shared/domain/layout.ts";
import { ingredientsOf, type NodeFacts } from "#shared/domain/node-key.ts";
import type { Plan, PlanNode } from "#shared/domain/plan.ts";
import type { CacheEntry, NodeRecipe } from "#shared/domain/remembered-node.ts";
import { whyNeverReused } from "#shared/domain/reuse-rules.ts";
import { withoutSecrets } from "#shared/log.ts";
import type { DataIdentities } from "./data-identities.ts";
import type { NodeMemory } from "./node-memory.ts";

export interface RunExplanation {
  /** Whether all that is compared is as it was. */
  readonly isSame: boolean;
  readonly reason: string;
  /** The nearest earlier run of the node that completed. */
  readonly comparedWith?: NodeExplanation["comparedWith"];
  readonly changes: readonly IngredientChange[];
}

interface Question {
  readonly plan: Plan;
  readonly node: PlanNode;
  /** All that is known, the outputs of other nodes among it. */
  readonly facts: NodeFacts;
  readonly recipe: NodeRecipe;
  /** What other nodes have made is not known yet, and not compared. */
  readonly isEarly?: boolean;
}

/** Changed files of one ingredient that are told, and those of code whose lines are. */
const toldFiles = 20;
const readFiles = 3;
const readBytes = 64 * 1024;
const listedFiles = 5_000;

export function createExplainRun({ blobs, data, memory }: { blobs: Blobs; data: DataIdentities; memory: NodeMemory }) {
  /** The files of data by its identity: as they were kept, or as they lie there, if they are still the same. */
  async function filesOf(fact: string, uri: string | undefined, node: PlanNode, input: string) {
    const [identity = ""] = fact.split(" at ");
    const kept = await memory.files(identity);
    const declared = node.inputs[input];
    if (kept !== undefined || uri === undefined || declared === undefined || declared.kind === "literal") return kept;
    const found = await data.identify({ uri, type: declared.type });
    return found.identity === identity ? found.files : undefined;
  }

  async function codeFiles(hash: string): Promise<readonly FileVersion[] | undefined> {
    const files = await blobs.versions(uploadFolder(hash), listedFiles);
    return files === undefined || files.length === 0 ? undefined : files;
  }

  async function readText(path: string, size: number): Promise<string | undefined> {
    if (size > readBytes) return undefined;
    const text = await blobs.readText(path);
    return text?.includes("\0") === true ? undefined : text;
  }

  async function codeChanges(before: string, after: string): Promise<IngredientChange[] | undefined> {
    const [one, other] = await Promise.all([codeFiles(before), codeFiles(after)]);
    if (one === undefined || other === undefined) return undefined;
    const changes = fileChanges("code", one, other);
    const both = changes.filter((change) => change.before !== undefined && change.after !== undefined);
    await Promise.all(
      both.slice(0, readFiles).map(async (change) => {
        const path = change.ingredient.slice("code: ".length);
        const size = (files: readonly FileVersion[]) => files.find((file) => file.path === path)?.size ?? Infinity;
        const texts = await Promise.all([
          readText(`${uploadFolder(before)}${path}`, size(one)),
          readText(`${uploadFolder(after)}${path}`, size(other)),
        ]);
        if (texts[0] === undefined || texts[1] === undefined) return;
        delete change.before;
        delete change.after;
        Object.assign(change, changedLines(withoutSecrets(texts[0]), withoutSecrets(texts[1])));
      }),
    );
    return changes;
  }

  /** A change that is told by hashes, told by the files that differ; as it is when they cannot be found. */
  async function inFiles(change: IngredientChange, question: Question, entry: CacheEntry): Promise<IngredientChange[]> {
    const { ingredient, before, after } = change;
    if (before === undefined || after === undefined) return [change];
    if (ingredient === "code.hash") return (await codeChanges(before, after)) ?? [short(change)];
    const input = /^inputs\.(.+)\.data$/.exec(ingredient)?.[1];
    if (input === undefined && ingredient !== "code.data") return [change];
    const name = input ?? "";
    const { node, recipe } = question;
    const [one, other] = await Promise.all([
      filesOf(before, entry.data[name], node, name),
      filesOf(after, recipe.uris[name], node, name),
    ]);
    const source = node.inputs[name];
    const told =
      input === undefined
        ? "code"
        : `inputs.${name}${source?.kind === "output" ? ` (${source.node}.${source.output})` : ""}`;
    if (one === undefined || other === undefined) return [short({ ...change, ingredient: told })];
    // A plan may be asked for before its data has been uploaded.
    if (other.length === 0) return [{ ingredient: told, before: `${one.length} files`, after: "nothing there yet" }];
    const changes = fileChanges(told, one, other);
    return changes.length === 0 ? [short({ ...change, ingredient: told })] : changes;
  }

  return async function explainRun(question: Question): Promise<RunExplanation> {
    const { plan, node, facts, recipe } = question;
    const never = whyNeverReused(plan, node);
    const { previous } = recipe;
    const entry = previous === undefined ? undefined : await memory.entry(previous.key);
    if (previous === undefined || entry === undefined) {
      const first = previous === undefined ? "it has not completed before" : "what is remembered of it before is gone";
      return { isSame: false, reason: never?.reason ?? first, changes: [] };
    }
    const now = await hideSecrets(ingredientsOf(node, facts), withoutSecrets);
    const isCompared = ({ ingredient }: IngredientChange) => {
      const input = question.isEarly === true ? /^inputs\.(.+)\.data$/.exec(ingredient)?.[1] : undefined;
      return input === undefined || node.inputs[input]?.kind !== "output";
    };
    const plain = ingredientChanges(entry.ingredients, now).filter(isCompared);
    const changes = (await Promise.all(plain.map((change) => inFiles(change, question, entry)))).flat();
    const reason = never?.reason ?? reasonOf(entry, changes, recipe);
    const { key: _key, ...comparedWith } = previous;
    return { isSame: reason === undefined, reason: reason ?? sameReason, comparedWith, changes };
  };
}

const sameReason = "nothing that counts has changed";

function reasonOf(entry: CacheEntry, changes: readonly IngredientChange[], recipe: NodeRecipe): string | undefined {
  if (changes.length > 0) return summarizeChanges(changes);
  if (recipe.unknown !== undefined) return `${recipe.unknown.join("; ")}: nobody can tell whether it is the same`;
  if (recipe.gone !== undefined)
    return `the outputs of run ${recipe.gone}, which would have done, are gone or were changed`;
  return entry.isReusable ? undefined : `run ${entry.runId} made its result in a way that is not reused`;
}

/** What differs between two sets of files, as `prefix: path`. */
function fileChanges(
  prefix: string,
  before: readonly FileVersion[],
  after: readonly FileVersion[],
): IngredientChange[] {
  const [one, other] = [before, after].map((files) => new Map(files.map((file) => [file.path, describe(file)])));
  const paths = [...new Set([...before, ...after].map(({ path }) => path))].toSorted();
  const changed = paths.filter((path) => one?.get(path) !== other?.get(path));
  const told = changed.slice(0, toldFiles).map((path): IngredientChange => {
    const [was, is] = [one?.get(path), other?.get(path)];
    return {
      ingredient: `${prefix}: ${path}`,
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    };
  });
  const more = changed.length - told.length;
  return more <= 0 ? told : [...told, { ingredient: `${prefix}: ${more} more files` }];
}

function describe({ size, md5, etag }: FileVersion): string {
  return `${size} bytes, ${md5 === undefined ? `version ${etag}` : `MD5 ${md5.slice(0, 12)}`}`;
}

/** Hashes as a person compares them. */
function short({ ingredient, before, after }: IngredientChange): IngredientChange {
  const cut = (text: string | undefined) => text?.replaceAll(/([0-9a-f]{12})[0-9a-f]{20,}/g, "$1");
  const [one, other] = [cut(before), cut(after)];
  return {
    ingredient,
    ...(one === undefined ? {} : { before: one }),
    ...(other === undefined ? {} : { after: other }),
  };
}
