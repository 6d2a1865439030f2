import { Command } from "commander";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { preparePipeline, storeReferences } from "../prepare-pipeline.ts";
import { createUploader } from "../store-files.ts";
import { renderTable } from "../views/print-table.ts";

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
          .argument("<file>", "the pipeline's YAML file"),
      )
        .addOption(flags.assetName())
        .addOption(flags.assetVersion())
        .action((path: string, options: PipelineFlags) => register(context, path, options)),
    )
    .addCommand(
      place(new Command("list").description("list what can be run by name")).action((options: PipelineFlags) =>
        list(context, options),
      ),
    )
    .addCommand(
      place(new Command("show").description("show a pipeline").argument("<name>", "its name"))
        .addOption(flags.assetVersion())
        .action((name: string, options: PipelineFlags) => show(context, name, options)),
    );
}

async function register(
  context: CliContext,
  path: string,
  { json, version, name, ...server }: PipelineFlags,
): Promise<void> {
  const { terminal, environment } = context;
  const prepared = await preparePipeline(context, path);
  const { client } = await connect(context, server, { mayBegin: true });
  const document = await storeReferences(prepared, createUploader(terminal, client));
  const stored = await client.putPipeline(name ?? document.name ?? "pipeline", version, document);
  if (json === true) return terminal.out(JSON.stringify(stored));
  terminal.out(`Registered ${stored.name} ${stored.version}. To run it:`);
  terminal.out(`  ${environment.programName} run ${stored.name} --watch`);
}

async function list(context: CliContext, { json, ...server }: PipelineFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const answer = await client.listPipelines();
  if (json === true) return terminal.out(JSON.stringify(answer));
  const rows = answer.pipelines.map(({ name, source }) => [name, source]);
  terminal.out(renderTable(["PIPELINE", "FROM"], rows, terminal.widthOf(terminal.stdout)));
}

async function show(context: CliContext, name: string, { json, version, ...server }: PipelineFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const text = await client.getPipelineText(name, version);
  if (json === true || !text.startsWith("{")) return terminal.out(text.trimEnd());
  const { stringify } = await import("yaml");
  // The app's own answer for a registered pipeline.
  const { document } = JSON.parse(text) as { document: unknown };
  terminal.out(stringify(document).trimEnd());
}
