import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { renderEvents } from "../views/dataset-table.ts";

interface EventFlags extends ServerFlags {
  readonly json?: boolean;
  readonly limit: number;
  readonly dataset?: string;
  readonly datasetVersion?: string;
  readonly fate?: string;
}

export function createEventsCommand(context: CliContext): Command {
  return new Command("events")
    .description("list what was uploaded into datasets and what became of it")
    .addOption(flags.events())
    .addOption(flags.ofDataset())
    .addOption(flags.ofVersion())
    .addOption(flags.fate())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action((options: EventFlags) => list(context, options));
}

async function list(context: CliContext, options: EventFlags): Promise<void> {
  const { limit, dataset, datasetVersion: version, fate, json, ...server } = options;
  const { terminal } = context;
  const { client } = await connect(context, server);
  const answer = await client.listEvents({ limit, dataset, version, fate });
  if (json === true) return terminal.out(JSON.stringify(answer));
  if (answer.events.length === 0) {
    const text = answer.nextLink === undefined ? "No events." : "None among the latest: ask for more with --limit.";
    return terminal.err(text);
  }
  const width = terminal.widthOf(terminal.stdout);
  terminal.out(renderEvents(answer.events, { colors: terminal.colorsFor(terminal.stdout), width, now: Date.now() }));
  if (answer.nextLink !== undefined) terminal.err("There are more: --limit takes up to 500.");
}
