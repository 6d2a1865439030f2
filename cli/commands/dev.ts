import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { homeOf } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { startOwnStack } from "../start-own-stack.ts";
import { shortPath } from "../views/short-path.ts";

export function createDevCommand(context: CliContext): Command {
  return new Command("dev")
    .description("run the whole stack on this machine until Ctrl-C")
    .addOption(flags.home())
    .action(async (options: ServerFlags) => {
      const { terminal } = context;
      const { bold, green } = terminal.colorsFor(terminal.stdout);
      const interrupts = listenForInterrupts();
      const stack = await startOwnStack(terminal, homeOf(options));
      try {
        terminal.out(`${green("mlpipe is up")} at ${bold(`${stack.url}/api`)}`);
        terminal.out(
          `The key is "key" in ${shortPath(join(stack.home, "stack.json"))}; send it as header x-functions-key.`,
        );
        terminal.out("mlpipe's own commands find both by themselves, in another terminal:");
        terminal.out(`  ${createHint(context, options)(`run ${examplePipeline()} --watch`)}`);
        terminal.out("Ctrl-C stops the stack; runs that are not over go on at the next start.");
        await Promise.race([interrupts.first, stack.broken]);
        terminal.err("Stopping.");
      } finally {
        await stack.stop();
        interrupts.release();
      }
    });
}

/** The flagship where the reader stands in mlpipe's own folder. */
function examplePipeline(): string {
  const flagship = "pipelines/fashion_mnist.yml";
  return existsSync(flagship) ? `${flagship} --input images=<folder>` : "<pipeline.yml>";
}
