// A pipeline with a node that can run nowhere is not started, and nothing of it is stored. The server is asked all the same for what
// it has against the others, so that everything is told at once.
import { type Issue, isMlpipeError, MlpipeError } from "#shared/errors.ts";
import type { Client } from "./client.ts";
import { placeIssue } from "./place-issues.ts";
import { type PreparedPipeline, storeReferences } from "./prepare-pipeline.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import { createLocator } from "./store-files.ts";

/** @returns the error that says of every node why it cannot run */
export async function explainRefusals(
  client: Client,
  pipeline: PreparedPipeline,
  inputs: Readonly<Record<string, string>>,
): Promise<MlpipeError> {
  const { document, refusals } = pipeline;
  const known = new Set(refusals.map(({ path }) => path));
  const more = (await askServer(client, pipeline, inputs)).filter(({ path }) => !known.has(path));
  const issues = [...refusals, ...more.map((issue) => placeIssue(issue, document))];
  const count = issues.length === 1 ? "1 node" : `${issues.length} nodes`;
  return new MlpipeError("InvalidRequest", `${count} cannot run; nothing was started`, { issues });
}

async function askServer(
  client: Client,
  pipeline: PreparedPipeline,
  given: Readonly<Record<string, string>>,
): Promise<Issue[]> {
  const store = createLocator(client);
  try {
    const inputs = await resolveInputs(given, pipeline.document, store);
    const { nodes } = await client.plan({ inputs, pipeline: await storeReferences(pipeline, store) });
    return nodes.flatMap(({ name, action, reason = "" }): Issue[] => {
      if (action !== "refuse") return [];
      const path = `jobs.${name.split(".").join(".component.jobs.")}`;
      return [{ path, message: `node \`${name}\` cannot run: ${reason}`, severity: "error" }];
    });
  } catch (error) {
    // What is known is told in any case.
    if (isMlpipeError(error)) return [];
    throw error;
  }
}
