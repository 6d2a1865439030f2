import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";

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
      await client.cancelRun(runId, reason);
      const document = await client.getRun(runId);
      if (json === true) return context.terminal.out(JSON.stringify(document));
      context.terminal.out(
        `Run ${runId} is asked to end. To see it end: ${context.environment.programName} status ${runId} --watch`,
      );
    });
}
