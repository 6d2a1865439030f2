import { Command } from "commander";
import { connectOrStart } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { finishRun } from "../finish-run.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { isModule } from "../import-pipeline.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { preparePipeline } from "../prepare-pipeline.ts";
import { readInputFlags } from "../read-input-flags.ts";
import { startRun } from "../start-run.ts";
import { watchRun } from "../watch-run.ts";

interface RunFlags extends ServerFlags {
  readonly input: readonly string[];
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly displayName?: string;
  readonly idempotencyKey?: string;
}

export function createRunCommand(context: CliContext): Command {
  return new Command("run")
    .description("start a run of a pipeline file, or of a pipeline deployed with the app")
    .argument("<pipeline>", "path of a YAML or TypeScript file, or a deployed pipeline's name")
    .addOption(flags.input())
    .addOption(flags.watch())
    .addOption(flags.json())
    .addOption(flags.displayName())
    .addOption(flags.idempotencyKey())
    .addOption(flags.home())
    .addOption(flags.server())
    .addHelpText(
      "after",
      "\nWithout a server it starts a stack of its own, waits for the run and stops the\nstack again.",
    )
    .action((pipeline: string, options: RunFlags) => run(context, pipeline, options));
}

async function run(context: CliContext, pipeline: string, options: RunFlags): Promise<void> {
  const { terminal } = context;
  const { input, displayName, idempotencyKey } = options;
  const isJson = options.json === true;
  const stream = isJson ? terminal.stderr : terminal.stdout;

  const inputs = readInputFlags(input);
  const prepared = isFile(pipeline) ? await preparePipeline(context, pipeline) : pipeline;
  const hint = createHint(context, options);
  const interrupts = listenForInterrupts();
  const connection = await connectOrStart(context, options, interrupts);
  if (connection === undefined) return finishRun(context, undefined, { isJson, isOwn: true, hint });
  try {
    const { client, isOwn } = connection;
    const { runId, ...rest } = await startRun(terminal, client, {
      pipeline: prepared,
      inputs,
      displayName,
      idempotencyKey,
    });
    stream.write(`Run ${runId} of ${rest.pipeline}\n`);
    if (options.watch === true || isOwn) {
      finishRun(context, await watchRun(context, { connection, runId, interrupts, hint, stream }), {
        isJson,
        isOwn,
        hint,
      });
      return;
    }
    stream.write(`To watch it: ${hint(`status ${runId} --watch`)}\n`);
    if (isJson) terminal.out(JSON.stringify({ runId, ...rest }));
  } finally {
    await connection.stop();
    interrupts.release();
  }
}

function isFile(pipeline: string): boolean {
  return /\.ya?ml$/i.test(pipeline) || isModule(pipeline) || /[\\/]/.test(pipeline);
}
