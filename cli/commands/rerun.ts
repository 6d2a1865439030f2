import { randomUUID } from "node:crypto";
import { Command } from "commander";
import type { RunDocument } from "#shared/domain/run.ts";
import type { Client } from "../client.ts";
import type { CliContext } from "../context.ts";
import { flags } from "../flags.ts";
import { type StartFlags, followStarted } from "../follow-started.ts";
import { readInputFlags } from "../read-input-flags.ts";
import { resolveInputs } from "../resolve-inputs.ts";
import { createUploader } from "../store-files.ts";

interface RerunFlags extends StartFlags {
  readonly from?: string;
  readonly input: readonly string[];
  readonly force?: boolean;
  readonly maxCost?: number;
  readonly displayName?: string;
  readonly idempotencyKey?: string;
}

export function createRerunCommand(context: CliContext): Command {
  return new Command("rerun")
    .description("start a run that continues one which has ended; what is still true is reused")
    .argument("<run>", "id of the run that has ended")
    .addOption(flags.from())
    .addOption(flags.input())
    .addOption(flags.force())
    .addOption(flags.maxCost())
    .addOption(flags.watch())
    .addOption(flags.json())
    .addOption(flags.displayName())
    .addOption(flags.idempotencyKey())
    .addOption(flags.home())
    .addOption(flags.server())
    .action((runId: string, options: RerunFlags) =>
      followStarted(
        context,
        options,
        (client) => rerun(context, client, runId, options),
        ({ runId: started }) => `Run ${started} continues ${runId}`,
      ),
    );
}

async function rerun(
  { terminal }: CliContext,
  client: Client,
  runId: string,
  { from, input, force, maxCost, displayName, idempotencyKey = randomUUID() }: RerunFlags,
): Promise<RunDocument> {
  const given = readInputFlags(input);
  const inputs = await resolveInputs(given, undefined, createUploader(terminal, client));
  const request = {
    ...(from === undefined ? {} : { from }),
    ...(Object.keys(given).length === 0 ? {} : { inputs }),
    ...(force === undefined ? {} : { force }),
    ...(maxCost === undefined ? {} : { maxCost }),
    ...(displayName === undefined ? {} : { displayName }),
  };
  return client.rerun(runId, request, idempotencyKey);
}
