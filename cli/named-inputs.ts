// The inputs that a pipeline of the server declares, so that what is typed for one is read as what it is.
import type { AssetWord } from "./asset-word.ts";
import type { Client } from "./client.ts";

/** @throws MlpipeError `NotFound` when there is no such pipeline */
export async function readNamedInputs(
  client: Client,
  { name, version }: AssetWord,
): Promise<{ readonly inputs?: Readonly<Record<string, unknown>> }> {
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
