import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { Command, Option } from "commander";
import { type ExportedFile, exportPipeline } from "#authoring/export-pipeline.ts";
import { moveYaml } from "#shared/domain/move-yaml.ts";
import { folderOf, joinPath, nameOf } from "#shared/domain/posix-path.ts";
import { MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import type { CliContext } from "../context.ts";
import { importPipeline, isModule } from "../import-pipeline.ts";

interface ExportFlags {
  readonly out?: string;
  readonly inline?: boolean;
}

export function createExportCommand(context: CliContext): Command {
  return new Command("export")
    .description("print a pipeline as the YAML that `az ml job create -f` takes")
    .argument("<file>", "pipeline in TypeScript or YAML; YAML stays as it is written")
    .addOption(
      new Option("--out <folder>", "write files there: the pipeline's, and one for each component of TypeScript"),
    )
    .addOption(new Option("--inline", "put what component and environment files hold in the place of their names"))
    .addHelpText("after", "\nWithout --out, paths are relative to the folder of <file>.")
    .action((path: string, options: ExportFlags) => exportFile(context, path, options));
}

async function exportFile({ terminal }: CliContext, path: string, { out, inline }: ExportFlags): Promise<void> {
  const files = createFileSource("/");
  const file = posix(resolve(path));
  const folder = out === undefined ? undefined : posix(resolve(out));
  const { files: written, warnings } = isModule(path)
    ? await exportPipeline(await importPipeline(path), { file, files, folder, isInline: inline })
    : { files: [await exportYaml(file, folder, inline === true)], warnings: [] };
  const colors = terminal.colorsFor(terminal.stderr);
  for (const warning of warnings) terminal.err(`${colors.yellow("warning:")} ${warning}`);
  if (folder === undefined) return void terminal.stdout.write(written.map(({ text }) => text).join(""));
  for (const { path: target, text } of written) {
    if (target === file) throw new MlpipeError("Conflict", `${path} would be written over itself`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    terminal.out(relative(process.cwd(), target));
  }

  async function exportYaml(source: string, to: string | undefined, isInline: boolean): Promise<ExportedFile> {
    const text = await moveYaml(source, { files, folder: to ?? folderOf(source), isInline });
    return { path: joinPath(to ?? folderOf(source), nameOf(source)), text };
  }
}

function posix(path: string): string {
  return path.split(sep).join("/");
}
