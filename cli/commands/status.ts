import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { finishRun } from "../finish-run.ts";
import { createHint } from "../hint.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { readAllMetrics } from "../read-all-metrics.ts";
import { isAsking } from "../views/promotion.ts";
import { renderRun, renderRunList } from "../views/run-table.ts";
import { answerHint, watchRun } from "../watch-run.ts";

interface StatusFlags extends ServerFlags {
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit: number;
  readonly status?: string;
  readonly pipeline?: string;
}

/** Nodes that a terminal shows of a run with more. */
const nodesOnScreen = 40;

export function createStatusCommand(context: CliContext): Command {
  return new Command("status")
    .description("list the runs, or show one")
    .argument("[run]", "id of a run")
    .addOption(flags.watch())
    .addOption(flags.limit())
    .addOption(flags.status())
    .addOption(flags.pipeline())
    .addOption(flags.all())
    .addOption(flags.json())
    .addOption(flags.home())
    .addOption(flags.server())
    .action(async (runId: string | undefined, options: StatusFlags) => {
      if (runId === undefined) await listRuns(context, options);
      else if (options.watch === true) await watch(context, runId, options);
      else await showRun(context, runId, options);
    });
}

async function listRuns(context: CliContext, { limit, status, pipeline, json, ...server }: StatusFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const list = await client.listRuns({
    limit,
    ...(status === undefined ? {} : { status }),
    ...(pipeline === undefined ? {} : { pipeline }),
  });
  if (json === true) return terminal.out(JSON.stringify(list));
  if (list.runs.length === 0)
    return terminal.err(`No runs. Start one: ${createHint(context, server)("run <pipeline.yml> --watch")}`);
  terminal.out(renderRunList(list.runs, tableOptions(context)));
  if (list.nextLink !== undefined) terminal.err("There are more: --limit takes up to 200.");
}

async function showRun(context: CliContext, runId: string, { json, all, ...server }: StatusFlags): Promise<void> {
  const { client } = await connect(context, server);
  const document = await client.getRun(runId);
  if (json === true) return context.terminal.out(JSON.stringify(document));
  const options = tableOptions(context);
  // Who reads through a pipe, or asks for it, gets every node.
  const mostNodes = all === true || options.width === undefined ? {} : { mostNodes: nodesOnScreen };
  const metrics = await readAllMetrics(client, document);
  context.terminal.out(renderRun({ document, metrics }, { ...options, ...mostNodes }));
  if (isAsking(document)) context.terminal.err(answerHint(runId, createHint(context, server)));
}

async function watch(context: CliContext, runId: string, { json, ...server }: StatusFlags): Promise<void> {
  const connection = await connect(context, server);
  const hint = createHint(context, server);
  const interrupts = listenForInterrupts();
  const stream = json === true ? context.terminal.stderr : context.terminal.stdout;
  const document = await watchRun(context, { connection, runId, interrupts, hint, stream });
  interrupts.release();
  finishRun(context, document, { isJson: json === true, hint });
}

function tableOptions({ terminal }: CliContext) {
  return { colors: terminal.colorsFor(terminal.stdout), width: terminal.widthOf(terminal.stdout), now: Date.now() };
}
