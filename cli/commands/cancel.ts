import { Command } from "commander";
import { runStatusFacts } from "#shared/domain/run.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";

interface CancelFlags extends ServerFlags {
  readonly reason?: string;
  readonly json?: boolean;
}

export function createCancelCommand(context: CliContext): Command {
  return new Command("cancel")
    .description("cancel a run and the jobs it has running")
    .argument("<run>", "id of the run")
    .addOption(flags.reason())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action(async (runId: string, { reason, json, ...server }: CancelFlags) => {
      const { client } = await connect(context, server);
      const document = await client.cancelRun(runId, reason);
      const { terminal } = context;
      if (json === true) terminal.out(JSON.stringify(document));
      else if (runStatusFacts[document.status].isTerminal) terminal.out(`Run ${runId} has ended: ${document.status}.`);
      else
        terminal.out(
          `Run ${runId} is being canceled. To see it end: ${createHint(context, server)(`status ${runId} --watch`)}`,
        );
    });
}
