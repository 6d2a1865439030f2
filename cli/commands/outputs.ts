import { resolve } from "node:path";
import { Command } from "commander";
import { type RunDocument, runStatusFacts } from "#shared/domain/run.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { downloadFile, listFiles } from "../download-outputs.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint, type Hint } from "../hint.ts";
import { formatBytes } from "../views/format-bytes.ts";
import { formatFiles } from "../views/format-files.ts";
import { renderTable } from "../views/print-table.ts";
import { shortPath } from "../views/short-path.ts";

interface OutputsFlags extends ServerFlags {
  readonly json?: boolean;
  readonly to?: string;
}

export function createOutputsCommand(context: CliContext): Command {
  return new Command("outputs")
    .description("list or download the files a run has made")
    .addCommand(
      withPlaces(new Command("list"), "list the files")
        .addOption(flags.json())
        .action((runId: string, node: string | undefined, output: string | undefined, options: OutputsFlags) =>
          list(context, { runId, node, output }, options),
        ),
    )
    .addCommand(
      withPlaces(new Command("download"), "download the files")
        .addOption(flags.to())
        .addOption(flags.json())
        .action((runId: string, node: string | undefined, output: string | undefined, options: OutputsFlags) =>
          download(context, { runId, node, output }, options),
        ),
    );
}

interface Place {
  readonly runId: string;
  readonly node: string | undefined;
  readonly output: string | undefined;
}

function withPlaces(command: Command, description: string): Command {
  return command
    .description(description)
    .argument("<run>", "id of the run")
    .argument("[node]", "only of this node")
    .argument("[output]", "only this output")
    .addOption(flags.home())
    .addOption(flags.server());
}

async function list(
  context: CliContext,
  { runId, ...filter }: Place,
  { json, ...server }: OutputsFlags,
): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const run = await client.getRun(runId);
  const files = await listFiles(client, run, filter);
  if (json === true) return terminal.out(JSON.stringify({ runId, files }));
  if (files.length === 0) return terminal.err(noFiles(run, filter, createHint(context, server)));
  const rows = files.map(({ node, output, path, size }) => [node, output, path, formatBytes(size)]);
  terminal.out(renderTable(["NODE", "OUTPUT", "FILE", "SIZE"], rows, terminal.widthOf(terminal.stdout)));
}

async function download(context: CliContext, { runId, ...filter }: Place, options: OutputsFlags): Promise<void> {
  const { terminal } = context;
  const { json, to = runId, ...server } = options;
  const { client } = await connect(context, server);
  const run = await client.getRun(runId);
  const files = await listFiles(client, run, filter);
  const paths: string[] = [];
  for (const file of files) {
    const path = await downloadFile(client, runId, file, to);
    paths.push(path);
    if (json !== true) terminal.out(`${shortPath(path)}  ${formatBytes(file.size)}`);
  }
  if (json === true) return terminal.out(JSON.stringify({ runId, folder: resolve(to), files: paths }));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const count = formatFiles(files.length);
  terminal.err(
    files.length === 0
      ? noFiles(run, filter, createHint(context, server))
      : `${count}, ${formatBytes(bytes)}, in ${to}`,
  );
}

/** What a job leaves in `./outputs` is no output that it declares. */
function noFiles(
  { runId, status, outputsRemovedTime }: RunDocument,
  { node = "<node>", output }: Omit<Place, "runId">,
  hint: Hint,
): string {
  if (outputsRemovedTime !== undefined)
    return `The outputs of run ${runId} aged out on ${outputsRemovedTime.slice(0, 10)}.`;
  const none = `Run ${runId} has no files${runStatusFacts[status].isTerminal ? "" : " yet"}`;
  if (output !== undefined) return `${none} in this output.`;
  return `${none} in its declared outputs. What a job wrote to ./outputs: ${hint(`outputs list ${runId} ${node} default`)}`;
}
