import { readFile, writeFile } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { Command, Option } from "commander";
import { componentModule } from "#authoring/component-module.ts";
import { MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import type { CliContext } from "../context.ts";

interface TypesFlags {
  readonly out: string;
  readonly check?: boolean;
}

export function createTypesCommand(context: CliContext): Command {
  return new Command("types")
    .description("write the TypeScript of component files, for pipelines in TypeScript")
    .argument("<file...>", "YAML files of components")
    .addOption(new Option("--out <file>", "module to write").default("components.ts"))
    .addOption(new Option("--check", "write nothing; fail when the module is not up to date"))
    .addHelpText("after", "\n  mlpipe types components/*/component.yml --out components/components.ts")
    .action((paths: string[], options: TypesFlags) => types(context, paths, options));
}

async function types({ terminal }: CliContext, paths: readonly string[], { out, check }: TypesFlags): Promise<void> {
  const files = createFileSource();
  const read = paths.map(async (path) => {
    const text = await files.readText(path);
    if (text === undefined) throw new MlpipeError("InvalidRequest", `there is no file ${path}`);
    return { path: posix(resolve(path)), name: path, text };
  });
  const text = componentModule(await Promise.all(read), posix(resolve(out)));
  if (check !== true) {
    await writeFile(out, text);
    return terminal.out(out);
  }
  const found = await readFile(out, "utf8").catch(() => "");
  if (essence(found) !== essence(text))
    throw new MlpipeError("InvalidRequest", `${out} is not up to date; run the same without --check`);
  terminal.out(`${out} is up to date`);
}

function posix(path: string): string {
  return path.split(sep).join("/");
}

/** A module without what a formatter may change. */
function essence(text: string): string {
  return text.replaceAll(/[\s,;'"]/g, "");
}
