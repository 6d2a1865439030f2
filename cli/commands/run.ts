import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { flags } from "../flags.ts";
import { type StartFlags, followStarted } from "../follow-started.ts";
import { isModule } from "../import-pipeline.ts";
import { preparePipeline } from "../prepare-pipeline.ts";
import { readInputFlags } from "../read-input-flags.ts";
import { startRun } from "../start-run.ts";

interface RunFlags extends StartFlags {
  readonly input: readonly string[];
  readonly force?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly displayName?: string;
  readonly idempotencyKey?: string;
}

export function createRunCommand(context: CliContext): Command {
  return new Command("run")
    .description("start a run of a pipeline file, or of a pipeline deployed with the app")
    .argument("<pipeline>", "path of a YAML or TypeScript file, or a deployed pipeline's name")
    .addOption(flags.input())
    .addOption(flags.force())
    .addOption(flags.timeout())
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
  const { input, displayName, idempotencyKey, force, timeout: timeoutSeconds } = options;
  const inputs = readInputFlags(input);
  const prepared = isFile(pipeline) ? await preparePipeline(context, pipeline, { isToRun: true }) : pipeline;
  await followStarted(
    context,
    options,
    (client) =>
      startRun(context.terminal, client, {
        pipeline: prepared,
        inputs,
        displayName,
        idempotencyKey,
        force,
        timeoutSeconds,
      }),
    ({ runId, ...started }) => `Run ${runId} of ${started.pipeline}`,
  );
}

function isFile(pipeline: string): boolean {
  return /\.ya?ml$/i.test(pipeline) || isModule(pipeline) || /[\\/]/.test(pipeline);
}
