import { Command } from "commander";
import { readAssetWord } from "../asset-word.ts";
import type { CliContext } from "../context.ts";
import { flags } from "../flags.ts";
import { type StartFlags, followStarted } from "../follow-started.ts";
import { isPipelineFile } from "../import-pipeline.ts";
import { preparePipeline } from "../prepare-pipeline.ts";
import { readInputFlags } from "../read-input-flags.ts";
import { startRun } from "../start-run.ts";

interface RunFlags extends StartFlags {
  readonly input: readonly string[];
  readonly force?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  /** US dollars. */
  readonly maxCost?: number;
  readonly displayName?: string;
  readonly idempotencyKey?: string;
}

export function createRunCommand(context: CliContext): Command {
  return new Command("run")
    .description("start a run of a pipeline file, or of a deployed or registered pipeline")
    .argument(
      "<pipeline>",
      "path of a YAML or TypeScript file, or a pipeline's name, <name>:<version> for one that is registered",
    )
    .addOption(flags.input())
    .addOption(flags.force())
    .addOption(flags.timeout())
    .addOption(flags.maxCost())
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
  const { input, displayName, idempotencyKey, force, timeout: timeoutSeconds, maxCost } = options;
  const inputs = readInputFlags(input);
  const prepared = isPipelineFile(pipeline)
    ? await preparePipeline(context, pipeline, { tellsRefusals: true })
    : readAssetWord(pipeline);
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
        maxCost,
      }),
    ({ runId, ...started }) => `Run ${runId} of ${started.pipeline}`,
  );
}
