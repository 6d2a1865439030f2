// A dataset's declaration: where its versions lie, what makes one whole, and what starts then.
import { z } from "zod";
import type { InputValue } from "../input-value.ts";

/** Also part of blob paths and of instance ids, so it is short and plain. */
export const DatasetName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/, "letters, digits, `_` and `-`, at most 60, and no `_` or `-` in front");

export interface Dataset {
  readonly name: string;
  readonly description?: string;
  /** The workspace's default one when absent. */
  readonly datastore?: string;
  /** Folder of a version in the container, `datasets/images/{version}/`. */
  readonly path: string;
  /** Names or globs, relative to the version's folder; every one must be matched by a file. Empty: any file counts. */
  readonly files: readonly string[];
  /** Name of the file that says the version is whole; no part of the data. */
  readonly ready?: string;
  /** The version is whole when nothing was written for so long. */
  readonly quietSeconds?: number;
  readonly minimumFiles: number;
  /** From the first upload on. */
  readonly maximumWaitSeconds: number;
  /** What becomes of a version that is not whole by then. */
  readonly onTimeout: "fail" | "start";
  /** What a changed or added file does to a version whose run has started. */
  readonly onChange: "new_run" | "ignore";
  /** Whether a file without a byte is a file: on a hierarchical namespace one stands there before its content does. */
  readonly allowsEmptyFiles: boolean;
  /** Name of a deployed pipeline. */
  readonly pipeline: string;
  /** May hold `${{dataset.path}}`, `${{dataset.version}}` and `${{dataset.name}}`. */
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the pipeline is given for one version; `uri` is its folder's, with a slash behind. */
export function inputsFor(dataset: Dataset, version: string, uri: string): Record<string, InputValue> {
  const values: Readonly<Record<string, string>> = { name: dataset.name, version, path: uri };
  const fill = (text: string) =>
    text.replaceAll(datasetMacro, (macro: string, key: string) =>
      Object.hasOwn(values, key) ? (values[key] ?? macro) : macro,
    );
  return Object.fromEntries(
    Object.entries(dataset.inputs).map(([name, value]): [string, InputValue] => {
      if (typeof value === "object") return [name, { ...value, path: fill(value.path) }];
      return [name, typeof value === "string" ? fill(value) : value];
    }),
  );
}

export const datasetMacro = /\$\{\{\s*dataset\.(\w+)\s*\}\}/g;
export const datasetMacros = ["path", "version", "name"] as const;
