// A pipeline written in TypeScript or JavaScript, which runs to be read.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Pipeline, isPipeline } from "#authoring/pipeline.ts";
import { MlpipeError } from "#shared/errors.ts";

/** Whether a path is that of a module and not of a YAML file. */
export function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/i.test(path);
}

/** Whether what was typed is the path of a pipeline, and not the name of one. */
export function isPipelineFile(text: string): boolean {
  if (text.startsWith("azureml:")) return false;
  return /\.ya?ml$/i.test(text) || isModule(text) || /[\\/]/.test(text);
}

/** @throws MlpipeError `InvalidRequest` when the module is not there, fails, or exports no pipeline. */
export async function importPipeline(path: string): Promise<Pipeline> {
  const file = resolve(path);
  if ((await stat(file).catch(() => undefined))?.isFile() !== true) throw invalid(path, `there is no file ${path}`);
  const url = pathToFileURL(file).href;
  const module = await import(url).then(
    // Whatever a module exports is checked below.
    (exports: Readonly<Record<string, unknown>>) => exports,
    (error: unknown) => {
      throw invalid(path, `cannot be loaded: ${describe(error)}`, placeIn(url, file, error), error);
    },
  );
  const found = module.default ?? module.pipeline;
  if (isPipeline(found)) return found;
  const name = module.default === undefined && module.pipeline !== undefined ? "`pipeline`" : "its default export";
  throw invalid(
    path,
    found === undefined
      ? "exports no pipeline; write `export default pipeline(...)` or `export const pipeline = ...`"
      : `${name} is no pipeline; it has to be what \`pipeline(...)\` returns`,
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = error.message.includes("'mlpipe'")
    ? " (the project that holds the file needs mlpipe as a dependency)"
    : "";
  return `${error.message.split("\n")[0]}${hint}`;
}

/** The place in the module that the error's stack names first. */
function placeIn(url: string, file: string, error: unknown): { line: number; column: number } | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const name of [url, file]) {
    const [, line, column = "1"] = /^:(\d+)(?::(\d+))?/.exec(stack.split(name)[1] ?? "") ?? [];
    if (line !== undefined) return { line: Number(line), column: Number(column) };
  }
  return undefined;
}

function invalid(file: string, message: string, place: object = {}, cause?: unknown): MlpipeError {
  const issues = [{ severity: "error", path: "", file, message, ...place } as const];
  return new MlpipeError("InvalidRequest", `${file} cannot be read; nothing was started`, { issues, cause });
}
