import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { flags } from "../flags.ts";
import { inputsWithoutValue, preparePipeline } from "../prepare-pipeline.ts";

export function createValidateCommand(context: CliContext): Command {
  return new Command("validate")
    .description("check a pipeline file and every file it names; needs no server")
    .argument("<file>", "pipeline, component or command job")
    .addOption(flags.json())
    .action(async (path: string, { json }: { json?: boolean }) => {
      const { document, refusals } = await preparePipeline(context, path);
      if (json === true) return context.terminal.out(JSON.stringify(document));
      const inputs = inputsWithoutValue(document).map(
        ({ name, isData }) => ` --input ${name}=${isData ? "<path>" : "<value>"}`,
      );
      if (refusals.length > 0) {
        const some = refusals.length === 1 ? "a node" : `${refusals.length} nodes`;
        return context.terminal.out(`${path} is valid, and cannot run as it is: it has ${some} that cannot.`);
      }
      context.terminal.out(`${path} is valid. To run it:`);
      context.terminal.out(`  ${context.environment.programName} run ${path}${inputs.join("")} --watch`);
    });
}
