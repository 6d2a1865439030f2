import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";

const waitSeconds = 20;

export function createLogsCommand(context: CliContext): Command {
  return new Command("logs")
    .description("print what a node's job wrote")
    .argument("<run>", "id of the run")
    .argument("<node>", "name of the node")
    .addOption(flags.follow())
    .addOption(flags.home())
    .addOption(flags.server())
    .action(async (runId: string, node: string, { follow, ...server }: ServerFlags & { follow?: boolean }) => {
      const { client } = await connect(context, server);
      const isFollowing = follow === true;
      for (let from = 0; ;) {
        const chunk = await client.readLog(runId, node, from, { waitSeconds: isFollowing ? waitSeconds : 0 });
        context.terminal.stdout.write(chunk.bytes);
        const isEmpty = chunk.nextOffset <= from;
        from = Math.max(from, chunk.nextOffset);
        if (chunk.isComplete || (isEmpty && !isFollowing)) break;
      }
    });
}
