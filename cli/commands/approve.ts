import { userInfo } from "node:os";
import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { describePromotion } from "../views/promotion.ts";

interface ApproveFlags extends ServerFlags {
  readonly reject?: boolean;
  readonly comment?: string;
  readonly by?: string;
  readonly json?: boolean;
}

export function createApproveCommand(context: CliContext): Command {
  return new Command("approve")
    .description("answer a run that asks whether its model may be registered; the first answer counts")
    .argument("<run>", "id of the run")
    .addOption(flags.reject())
    .addOption(flags.comment())
    .addOption(flags.by())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action(async (runId: string, { reject, comment, by = ownName(), json, ...server }: ApproveFlags) => {
      const { client } = await connect(context, server);
      const document = await client.approveRun(runId, {
        decision: reject === true ? "reject" : "approve",
        ...(comment === undefined ? {} : { comment }),
        ...(by === undefined ? {} : { by }),
      });
      const { terminal } = context;
      if (json === true) return terminal.out(JSON.stringify(document));
      const { promotion } = document;
      terminal.out(`Run ${runId} is ${reject === true ? "rejected" : "approved"}.`);
      if (promotion?.outcome !== undefined)
        for (const line of describePromotion(promotion, terminal.colorsFor(terminal.stdout))) terminal.out(line);
      else terminal.out(`To see what becomes of it: ${createHint(context, server)(`status ${runId} --watch`)}`);
    });
}

/** The user of this machine; undefined where there is none, as in some containers. */
function ownName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
