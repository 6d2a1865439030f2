// The command line: its commands, and the one place where a process ends.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { createApproveCommand } from "./commands/approve.ts";
import { createCancelCommand } from "./commands/cancel.ts";
import { createComponentCommand } from "./commands/component.ts";
import { createPipelineCommand } from "./commands/pipeline.ts";
import { createDatasetCommand } from "./commands/dataset.ts";
import { createDemoCommand } from "./commands/demo.ts";
import { createDevCommand } from "./commands/dev.ts";
import { createEventsCommand } from "./commands/events.ts";
import { createLogsCommand } from "./commands/logs.ts";
import { createModelCommand } from "./commands/model.ts";
import { createOutputsCommand } from "./commands/outputs.ts";
import { createPlanCommand } from "./commands/plan.ts";
import { createRerunCommand } from "./commands/rerun.ts";
import { createRunCommand } from "./commands/run.ts";
import { createRetentionCommand } from "./commands/retention.ts";
import { createScheduleCommand } from "./commands/schedule.ts";
import { createStatusCommand } from "./commands/status.ts";
import { createExportCommand } from "./commands/export.ts";
import { createTypesCommand } from "./commands/types.ts";
import { createValidateCommand } from "./commands/validate.ts";
import { createWebhookCommand } from "./commands/webhook.ts";
import { createWhyCommand } from "./commands/why.ts";
import type { CliContext } from "./context.ts";
import { readEnvironment } from "./environment.ts";
import { exitCodes, reportError } from "./report-error.ts";
import { createTerminal } from "./terminal.ts";

function createProgram(context: CliContext): Command {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  }; // our own file
  const program = new Command("mlpipe")
    .description("Machine-learning pipelines in Azure ML's own words, on Azure or whole on this machine.")
    .version(version)
    // `--version` of a command is a version of what it is about.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError("(--help says more)")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 the run failed or was canceled, 2 the request is not valid,\n" +
        "3 not found, taken or not allowed, 4 a service is down, 70 mlpipe itself failed.",
    );
  const commands = [
    createDemoCommand,
    createDevCommand,
    createRunCommand,
    createRerunCommand,
    createStatusCommand,
    createLogsCommand,
    createOutputsCommand,
    createWhyCommand,
    createCancelCommand,
    createApproveCommand,
    createModelCommand,
    createScheduleCommand,
    createDatasetCommand,
    createEventsCommand,
    createWebhookCommand,
    createRetentionCommand,
    createPlanCommand,
    createValidateCommand,
    createExportCommand,
    createTypesCommand,
    createComponentCommand,
    createPipelineCommand,
  ];
  for (const create of commands) program.addCommand(create(context));
  inherit(program);
  return program;
}

/** addCommand, unlike command(), passes nothing on. */
function inherit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}

const environment = readEnvironment();
const terminal = createTerminal(environment);

// `mlpipe status | head -1`: the reader has left, which is no error. A command that runs a stack stops it first.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (process.listenerCount("SIGTERM") === 0) process.exit(exitCodes.brokenPipe);
    process.exitCode = exitCodes.brokenPipe;
    process.emit("SIGTERM");
  });
}

const ends: (() => Promise<void>)[] = [];
const atEnd = (finish: () => Promise<void>) => void ends.push(finish);

try {
  await createProgram({ environment, terminal, atEnd }).parseAsync();
} catch (error) {
  process.exitCode = reportError(terminal, error);
}
for (const finish of ends) await finish();
// A client's idle connection must not keep a finished command alive.
process.exit();
