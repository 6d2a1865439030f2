// The inputs that a pipeline of the server declares, so that what is typed for one is read as what it is.
import type { AssetWord } from "./asset-word.ts";
import type { Client } from "./client.ts";
import { looksLikeData } from "./resolve-inputs.ts";

/**
 * @param given what was typed: only where that may be data does it matter what the pipeline declares
 * @throws MlpipeError `NotFound` when there is no such pipeline
 */
export async function readNamedInputs(
  client: Client,
  { name, version }: AssetWord,
  given: Readonly<Record<string, string>>,
): Promise<{ readonly inputs?: Readonly<Record<string, unknown>> } | undefined> {
  if (!Object.values(given).some(looksLikeData)) return undefined;
  const text = await client.getPipelineText(name, version);
  const { parse } = await import("yaml");
  // YAML of a deployed pipeline, or the JSON of a registered one, which is YAML too.
  const read: unknown = parse(text, { maxAliasCount: 1000 });
  const document = isObject(read) && isObject(read["document"]) ? read["document"] : read;
  const inputs = isObject(document) ? document["inputs"] : undefined;
  return isObject(inputs) ? { inputs } : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
