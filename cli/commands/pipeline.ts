import { Command } from "commander";
import { readAssetWord } from "../asset-word.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { preparePipeline, storeReferences } from "../prepare-pipeline.ts";
import { createUploader } from "../store-files.ts";
import { renderTable } from "../views/print-table.ts";
import { renderVersions } from "../views/versions-table.ts";

interface PipelineFlags extends ServerFlags {
  readonly json?: boolean;
  readonly version?: string;
  readonly name?: string;
}

export function createPipelineCommand(context: CliContext): Command {
  const place = (command: Command) => command.addOption(flags.json()).addOption(flags.home()).addOption(flags.server());
  return new Command("pipeline")
    .description("register pipelines by name, list and show them")
    .addCommand(
      place(
        new Command("register")
          .description("register a pipeline; the same content twice is one version")
          .argument("<file>", "the pipeline's file, in YAML or TypeScript"),
      )
        .addOption(flags.assetName())
        .addOption(flags.assetVersion())
        .action((path: string, options: PipelineFlags) => register(context, path, options)),
    )
    .addCommand(
      place(
        new Command("list")
          .description("list what can be run by name, or the versions of one pipeline")
          .argument("[name]", "of a registered pipeline"),
      ).action((name: string | undefined, options: PipelineFlags) =>
        name === undefined ? list(context, options) : listVersions(context, name, options),
      ),
    )
    .addCommand(
      place(
        new Command("show")
          .description("show a pipeline")
          .argument("<name>", "its name, <name>:<version> or <name>@latest"),
      )
        .addOption(flags.assetVersion())
        .action((name: string, options: PipelineFlags) => show(context, name, options)),
    );
}

async function register(
  context: CliContext,
  path: string,
  { json, version, name, ...server }: PipelineFlags,
): Promise<void> {
  const { terminal } = context;
  const prepared = await preparePipeline(context, path);
  const { client } = await connect(context, server, { mayBegin: true });
  const document = await storeReferences(prepared, createUploader(terminal, client));
  const stored = await client.putPipeline(name ?? document.name ?? "pipeline", version, document);
  if (json === true) return terminal.out(JSON.stringify(stored));
  terminal.out(`Registered ${stored.name} ${stored.version}. To run it:`);
  terminal.out(`  ${createHint(context, server)(`run ${stored.name} --watch`)}`);
}

async function list(context: CliContext, { json, ...server }: PipelineFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server, { mayBegin: true });
  const pipelines = await client.listPipelines();
  if (json === true) return terminal.out(JSON.stringify({ pipelines }));
  if (pipelines.length === 0)
    return terminal.err(
      `No pipelines. Register one: ${createHint(context, server)("pipeline register <pipeline.yml>")}`,
    );
  const rows = pipelines.map(({ name, source, latestVersion = "" }) => [name, source, latestVersion]);
  terminal.out(renderTable(["PIPELINE", "FROM", "NEWEST VERSION"], rows, terminal.widthOf(terminal.stdout)));
}

async function listVersions(context: CliContext, word: string, { json, ...server }: PipelineFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const found = await client.listPipelineVersions(readAssetWord(word).name);
  if (json === true) return terminal.out(JSON.stringify(found));
  terminal.out(renderVersions(found, terminal.widthOf(terminal.stdout)));
}

async function show(context: CliContext, word: string, options: PipelineFlags): Promise<void> {
  const { json, version: wanted, ...server } = options;
  const { terminal } = context;
  const { name, version } = readAssetWord(word, wanted);
  const { client } = await connect(context, server);
  const text = await client.getPipelineText(name, version);
  if (json === true || !text.startsWith("{")) return terminal.out(text.trimEnd());
  const { printYaml } = await import("#shared/domain/print-yaml.ts");
  // The app's own answer for a registered pipeline.
  const found = JSON.parse(text) as { name: string; version: string; versions: string[]; document: unknown };
  const others = found.versions.filter((each) => each !== found.version);
  terminal.err(`${found.name} ${found.version}${others.length === 0 ? "" : `; also ${others.join(", ")}`}`);
  terminal.out(printYaml(found.document).trimEnd());
}
