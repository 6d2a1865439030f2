import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { homeOf } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { shortPath } from "../views/short-path.ts";

export function createDevCommand(context: CliContext): Command {
  return new Command("dev")
    .description("run the whole stack on this machine until Ctrl-C")
    .addOption(flags.home())
    .action(async (options: ServerFlags) => {
      const { terminal, environment } = context;
      const { bold, dim, green } = terminal.colorsFor(terminal.stdout);
      const interrupts = listenForInterrupts();
      const { startStack } = await import("#local/stack.ts");
      const stack = await startStack({ home: homeOf(options), onProgress: (text) => terminal.err(dim(text)) });
      try {
        const flag = options.home === undefined ? "" : ` --home ${options.home}`;
        terminal.out(`${green("mlpipe is up")} at ${bold(`${stack.url}/api`)}`);
        terminal.out(
          `The key is "key" in ${shortPath(join(stack.home, "stack.json"))}; send it as header x-functions-key.`,
        );
        terminal.out("mlpipe's own commands find both by themselves, in another terminal:");
        terminal.out(`  ${environment.programName} run ${examplePipeline()} --watch${flag}`);
        terminal.out("Ctrl-C stops the stack; runs that are not over go on at the next start.");
        const broken = await Promise.race([interrupts.first, stack.failed]);
        if (broken instanceof Error) throw broken;
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
