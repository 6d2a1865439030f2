import { join, relative } from "node:path";
import { Command } from "commander";
import { homeOf } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { listenForInterrupts } from "../interrupts.ts";

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
        const home = relative(process.cwd(), stack.home) || ".";
        const flag = options.home === undefined ? "" : ` --home ${options.home}`;
        terminal.out(`${green("mlpipe is up:")} ${bold(`${stack.url}/api`)}`);
        terminal.out(`Key   "key" in ${join(home, "stack.json")}, sent as header x-functions-key;`);
        terminal.out("      mlpipe's own commands find it there");
        terminal.out(`Next  ${environment.programName} run pipelines/fashion_mnist.yml --watch${flag}`);
        terminal.out("      in another terminal; Ctrl-C here stops the stack, and runs go on at the next start");
        const broken = stack.failed.then((error) => {
          throw error;
        });
        await Promise.race([interrupts.first, broken]);
        terminal.err("Stopping.");
      } finally {
        await stack.stop();
        interrupts.release();
      }
    });
}
