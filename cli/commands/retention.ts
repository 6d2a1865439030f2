import { Command } from "commander";
import type { RetentionReport } from "#shared/domain/retention.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { formatBytes } from "../views/format-bytes.ts";
import { renderTable } from "../views/print-table.ts";

interface RetentionFlags extends ServerFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Runs that are named one by one. */
const namedRuns = 20;

export function createRetentionCommand(context: CliContext): Command {
  return new Command("retention")
    .description("let go now of what has aged out, as happens every night")
    .addOption(flags.dryRun())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action(async ({ dryRun, json, ...server }: RetentionFlags) => {
      const { client } = await connect(context, server);
      const report = dryRun === true ? await client.getRetention() : await client.applyRetention();
      const { terminal } = context;
      const text = json === true ? JSON.stringify(report) : renderReport(report, terminal.widthOf(terminal.stdout));
      terminal.out(text);
    });
}

function renderReport(report: RetentionReport, width: number | undefined): string {
  const { policy, histories, cacheEntries, outputs, isDryRun, isComplete } = report;
  const bytes = outputs.removed.reduce((sum, one) => sum + one.bytes, 0);
  const days = (count: number | undefined) => (count === undefined ? "for good" : `${count} days`);
  const rows = [
    ["histories", days(policy.historyDays), `${histories.runs.length} runs, ${histories.instances} instances`],
    ["reuse", days(policy.cacheDays), `${cacheEntries} entries`],
    ["outputs", days(policy.outputDays), `${outputs.removed.length} runs, ${formatBytes(bytes)}`],
    ["events", days(policy.eventDays), "with the dataset scan"],
  ];
  const lines = [renderTable(["WHAT", "KEPT", isDryRun ? "WOULD GO NOW" : "WENT"], rows, width)];
  if (outputs.removed.length + outputs.kept.length > 0) {
    const removed = outputs.removed.map((one) => [one.runId, isDryRun ? "would go" : "went", formatBytes(one.bytes)]);
    const kept = outputs.kept.map(({ runId, reason }) => [runId, "stays", reason]);
    const shown = [...removed.slice(0, namedRuns), ...kept.slice(0, namedRuns)];
    lines.push("", renderTable(["OUTPUTS OF", "", "WHY"], shown, width));
  }
  if (!isComplete) lines.push("", "There is more: ask again.");
  return lines.join("\n");
}
