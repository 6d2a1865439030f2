import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { readAssetWord } from "../asset-word.ts";
import { isPipelineFile } from "../import-pipeline.ts";
import { readNamedInputs } from "../named-inputs.ts";
import { preparePipeline, storeReferences } from "../prepare-pipeline.ts";
import { readInputFlags } from "../read-input-flags.ts";
import { printIssues } from "../report-error.ts";
import { resolveInputs } from "../resolve-inputs.ts";
import { createLocator } from "../store-files.ts";
import { renderPlan } from "../views/plan-table.ts";

interface PlanFlags extends ServerFlags {
  readonly input: readonly string[];
  readonly maxCost?: number;
  readonly json?: boolean;
}

export function createPlanCommand(context: CliContext): Command {
  return new Command("plan")
    .description("say what a run would do; starts nothing")
    .argument("<pipeline>", "path of a YAML or TypeScript file, or the name of a deployed or registered pipeline")
    .addOption(flags.input())
    .addOption(flags.maxCost())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action((path: string, options: PlanFlags) => plan(context, path, options));
}

async function plan(
  context: CliContext,
  pipeline: string,
  { input, maxCost, json, ...server }: PlanFlags,
): Promise<void> {
  const { terminal } = context;
  const given = readInputFlags(input);
  const prepared = isPipelineFile(pipeline) ? await preparePipeline(context, pipeline) : readAssetWord(pipeline);
  const { client } = await connect(context, server, { mayBegin: true });
  const store = createLocator(client);
  const isFile = "document" in prepared;
  const inputs = await resolveInputs(
    given,
    isFile ? prepared.document : await readNamedInputs(client, prepared, given),
    store,
  );
  const asked = isFile ? { pipeline: await storeReferences(prepared, store) } : prepared;
  const answer = await client.plan({ inputs, ...(maxCost === undefined ? {} : { maxCost }), ...asked });
  if (json === true) return terminal.out(JSON.stringify(answer));

  const told = new Set(isFile ? prepared.issues.map((issue) => issue.path) : []);
  const fresh = answer.warnings.filter((warning) => !told.has(warning.path));
  printIssues(
    terminal,
    fresh.map(({ path, message }) => ({ severity: "warning", path, message })),
  );
  terminal.out(renderPlan(answer, terminal.widthOf(terminal.stdout)));
}
