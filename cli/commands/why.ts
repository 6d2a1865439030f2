import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { renderExplanation } from "../views/explanation.ts";

interface WhyFlags extends ServerFlags {
  readonly json?: boolean;
}

export function createWhyCommand(context: CliContext): Command {
  return new Command("why")
    .description("say why a node of a run ran, or why it did not have to")
    .argument("<run>", "id of the run")
    .argument("<node>", "name of the node")
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action((runId: string, node: string, options: WhyFlags) => why(context, runId, node, options));
}

async function why(context: CliContext, runId: string, node: string, { json, ...server }: WhyFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const explanation = await client.explainNode(runId, node);
  if (json === true) return terminal.out(JSON.stringify(explanation));
  for (const line of renderExplanation(explanation, terminal.colorsFor(terminal.stdout))) terminal.out(line);
}
