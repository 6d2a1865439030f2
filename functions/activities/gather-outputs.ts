// What all items of a loop have made becomes outputs of the loop: of data a table of places (an MLTable), of values a JSON list.
import { stringify } from "yaml";
import { toLongDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { outputFolder } from "#shared/domain/layout.ts";
import { coerceLiteral } from "#shared/domain/literals.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { Plan, PlanNode, PlanOutput } from "#shared/domain/plan.ts";
import { isMlpipeError, MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";

interface Rounds {
  readonly runId: string;
  readonly node: string;
  readonly rounds: readonly Record<string, string>[];
}

const readsAtOnce = 32;

type Needed = Pick<App, "plans" | "blobs" | "ml" | "readOutputText">;

export function createGatherOutputs({ plans, blobs, ml, readOutputText }: Needed) {
  return async function gatherOutputs({ runId, node, rounds }: Rounds) {
    const { plan } = await plans.get(runId);
    const loop = planNodeOf(plan, node);
    if (loop === undefined) throw new Error(`the plan of ${runId} has no node ${node}`);
    const outputs: Record<string, string> = {};
    try {
      for (const output of Object.keys(loop.outputs)) {
        const uris = rounds.map((made) => made[output]);
        const folder = outputFolder({ runId, node, attempt: 1 }, output);
        const { type = "uri_folder", literal } = bodyOutput(plan, loop, output) ?? {};
        if (literal === undefined) {
          await blobs.writeText(`${folder}MLTable`, tableOf(uris, type, ml.workspaceId), "application/yaml");
          outputs[output] = await blobs.uriOf(folder);
        } else {
          const values = await readValues(uris, literal, output);
          await blobs.writeText(folder.slice(0, -1), JSON.stringify(values));
          outputs[output] = await blobs.uriOf(folder.slice(0, -1));
        }
      }
      return { outputs };
    } catch (error) {
      if (!isMlpipeError(error) || error.code === "Unavailable") throw error;
      return { reason: error.message };
    }
  };

  async function readValues(
    uris: readonly (string | undefined)[],
    type: NonNullable<PlanOutput["literal"]>,
    output: string,
  ): Promise<(string | number | boolean | null)[]> {
    const values: (string | number | boolean | null)[] = [];
    for (let start = 0; start < uris.length; start += readsAtOnce) {
      const batch = uris.slice(start, start + readsAtOnce).map(async (uri, index) => {
        const what = `the output \`${output}\` of item ${start + index + 1}`;
        return uri === undefined ? null : toJson(await readOutputText(uri, what), type, what);
      });
      values.push(...(await Promise.all(batch)));
    }
    return values;
  }
}

/** The output of the body that an output of the loop gathers. */
function bodyOutput(plan: Plan, loop: PlanNode, output: string): PlanOutput | undefined {
  const body = plan.bodies?.[loop.name];
  const from = body?.outputs[output];
  return body?.nodes.find(({ name }) => name === from?.node)?.outputs[from?.output ?? ""];
}

function tableOf(uris: readonly (string | undefined)[], type: PlanOutput["type"], workspaceId: string): string {
  const kind = type === "uri_file" ? "file" : "folder";
  const paths = uris.flatMap((uri) => (uri === undefined ? [] : [{ [kind]: toLongDatastoreUri(uri, workspaceId) }]));
  return stringify({ type: "mltable", paths });
}

function toJson(text: string, type: NonNullable<PlanOutput["literal"]>, what: string): string | number | boolean {
  const { value, ...coerced } = coerceLiteral(text, { type });
  if (value === undefined)
    throw new MlpipeError("InvalidRequest", `${what}: ${"problem" in coerced ? coerced.problem : "it has no value"}`);
  if (type === "boolean") return value === "True";
  return type === "string" ? value : Number(value);
}
