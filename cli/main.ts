// The command line: its commands, and the one place where a process ends.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { CliContext } from "./context.ts";
import { readEnvironment } from "./environment.ts";
import { exitCodes, reportError } from "./report-error.ts";
import { createTerminal } from "./terminal.ts";

/** In the order of `--help`. A command is loaded when it is asked for, so that none waits for what another needs. */
const commands: Readonly<Record<string, () => Promise<(context: CliContext) => Command>>> = {
  demo: async () => (await import("./commands/demo.ts")).createDemoCommand,
  dev: async () => (await import("./commands/dev.ts")).createDevCommand,
  run: async () => (await import("./commands/run.ts")).createRunCommand,
  rerun: async () => (await import("./commands/rerun.ts")).createRerunCommand,
  status: async () => (await import("./commands/status.ts")).createStatusCommand,
  logs: async () => (await import("./commands/logs.ts")).createLogsCommand,
  outputs: async () => (await import("./commands/outputs.ts")).createOutputsCommand,
  why: async () => (await import("./commands/why.ts")).createWhyCommand,
  cancel: async () => (await import("./commands/cancel.ts")).createCancelCommand,
  approve: async () => (await import("./commands/approve.ts")).createApproveCommand,
  model: async () => (await import("./commands/model.ts")).createModelCommand,
  schedule: async () => (await import("./commands/schedule.ts")).createScheduleCommand,
  dataset: async () => (await import("./commands/dataset.ts")).createDatasetCommand,
  events: async () => (await import("./commands/events.ts")).createEventsCommand,
  webhook: async () => (await import("./commands/webhook.ts")).createWebhookCommand,
  retention: async () => (await import("./commands/retention.ts")).createRetentionCommand,
  plan: async () => (await import("./commands/plan.ts")).createPlanCommand,
  validate: async () => (await import("./commands/validate.ts")).createValidateCommand,
  export: async () => (await import("./commands/export.ts")).createExportCommand,
  types: async () => (await import("./commands/types.ts")).createTypesCommand,
  component: async () => (await import("./commands/component.ts")).createComponentCommand,
  pipeline: async () => (await import("./commands/pipeline.ts")).createPipelineCommand,
};

function commandsFor(word = "") {
  if (["-V", "--version"].includes(word)) return [];
  const asked = Object.hasOwn(commands, word) ? commands[word] : undefined;
  return asked === undefined ? Object.values(commands) : [asked];
}

async function createProgram(context: CliContext): Promise<Command> {
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
  for (const load of commandsFor(process.argv[2])) program.addCommand((await load())(context));
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
  const program = await createProgram({ environment, terminal, atEnd });
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(terminal, error);
}
for (const finish of ends) await finish();
// A client's idle connection must not keep a finished command alive.
process.exit();
