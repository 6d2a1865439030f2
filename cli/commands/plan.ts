import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { preparePipeline, storeReferences } from "../prepare-pipeline.ts";
import { readInputFlags } from "../read-input-flags.ts";
import { printIssues } from "../report-error.ts";
import { resolveInputs } from "../resolve-inputs.ts";
import { createLocator } from "../store-files.ts";
import { renderTable } from "../views/print-table.ts";

interface PlanFlags extends ServerFlags {
  readonly input: readonly string[];
  readonly json?: boolean;
}

export function createPlanCommand(context: CliContext): Command {
  return new Command("plan")
    .description("say what a run would do; starts nothing")
    .argument("<file>", "path of a pipeline's YAML or TypeScript file")
    .addOption(flags.input())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action((path: string, options: PlanFlags) => plan(context, path, options));
}

async function plan(context: CliContext, path: string, { input, json, ...server }: PlanFlags): Promise<void> {
  const { terminal } = context;
  const given = readInputFlags(input);
  const prepared = await preparePipeline(context, path);
  const { client } = await connect(context, server, { mayBegin: true });
  const store = createLocator(client);
  const inputs = await resolveInputs(given, prepared.document, store);
  const answer = await client.plan({ inputs, pipeline: await storeReferences(prepared, store) });
  if (json === true) return terminal.out(JSON.stringify(answer));

  printIssues(
    terminal,
    answer.warnings.map(({ path: place, message }) => ({ severity: "warning", path: place, message })),
  );
  const rows = answer.nodes.map((node) => [
    node.name,
    node.component,
    node.action,
    node.dependsOn.join(", "),
    node.instanceTypes.join(", then "),
    node.reason ?? "",
  ]);
  terminal.out(
    renderTable(["NODE", "COMPONENT", "ACTION", "AFTER", "MACHINE", "WHY"], rows, terminal.widthOf(terminal.stdout)),
  );
}
