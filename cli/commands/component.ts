import { Command } from "commander";
import { loadComponent } from "#shared/domain/load-component.ts";
import { withUploads } from "#shared/domain/load-pipeline.ts";
import { MlpipeError } from "#shared/errors.ts";
import { createFileSource } from "#shared/files.ts";
import { readAssetWord } from "../asset-word.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { printIssues } from "../report-error.ts";
import { createUploader } from "../store-files.ts";
import { storeAll } from "../store-references.ts";
import { renderTable } from "../views/print-table.ts";
import { renderVersions } from "../views/versions-table.ts";

interface ComponentFlags extends ServerFlags {
  readonly json?: boolean;
  readonly version?: string;
}

export function createComponentCommand(context: CliContext): Command {
  const place = (command: Command) => command.addOption(flags.json()).addOption(flags.home()).addOption(flags.server());
  return new Command("component")
    .description("register components in the workspace, list and show them")
    .addCommand(
      place(
        new Command("register")
          .description("register a component; the same content twice is one version")
          .argument("<file>", "the component's YAML file"),
      )
        .addOption(flags.assetVersion())
        .action((path: string, options: ComponentFlags) => register(context, path, options)),
    )
    .addCommand(
      place(
        new Command("list")
          .description("list the components, or the versions of one")
          .argument("[name]", "of a component"),
      ).action((name: string | undefined, options: ComponentFlags) =>
        name === undefined ? list(context, options) : listVersions(context, name, options),
      ),
    )
    .addCommand(
      place(
        new Command("show")
          .description("show a component")
          .argument("<name>", "its name, <name>:<version> or <name>@latest"),
      )
        .addOption(flags.assetVersion())
        .action((name: string, options: ComponentFlags) => show(context, name, options)),
    );
}

async function register(
  context: CliContext,
  path: string,
  { json, version, ...server }: ComponentFlags,
): Promise<void> {
  const { terminal } = context;
  const { document, localReferences, issues } = await loadComponent(path, createFileSource());
  if (document === undefined || issues.some(({ severity }) => severity === "error")) {
    throw new MlpipeError("InvalidRequest", `${path} is no valid component; nothing was registered`, { issues });
  }
  printIssues(terminal, issues);
  const { client } = await connect(context, server, { mayBegin: true });
  const uris = await storeAll(localReferences, createUploader(terminal, client));
  const { type } = document;
  const stored = await client.putComponent(String(document.name), version, {
    ...withUploads({ ...document, type: "pipeline" }, uris),
    type,
  });
  if (json === true) return terminal.out(JSON.stringify(stored));
  terminal.out(`Registered ${stored.name} ${stored.version}. In a pipeline:`);
  terminal.out(`  component: azureml:${stored.name}:${stored.version}`);
}

async function list(context: CliContext, { json, ...server }: ComponentFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const components = await client.listComponents();
  if (json === true) return terminal.out(JSON.stringify({ components }));
  if (components.length === 0)
    return terminal.err(
      `No components. Register one: ${createHint(context, server)("component register <component.yml>")}`,
    );
  const rows = components.map(({ name, latestVersion = "" }) => [name, latestVersion]);
  terminal.out(renderTable(["COMPONENT", "NEWEST VERSION"], rows, terminal.widthOf(terminal.stdout)));
}

async function listVersions(context: CliContext, word: string, { json, ...server }: ComponentFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const found = await client.listComponentVersions(readAssetWord(word).name);
  if (json === true) return terminal.out(JSON.stringify(found));
  terminal.out(renderVersions(found, terminal.widthOf(terminal.stdout)));
}

async function show(context: CliContext, word: string, options: ComponentFlags): Promise<void> {
  const { json, version: wanted, ...server } = options;
  const { terminal } = context;
  const { name, version } = readAssetWord(word, wanted);
  const { client } = await connect(context, server);
  const component = await client.getComponent(name, version);
  if (json === true) return terminal.out(JSON.stringify(component));
  const { printYaml } = await import("#shared/domain/print-yaml.ts");
  const { spec, versions = [] } = component;
  const others = versions.filter((each) => each !== component.version);
  terminal.err(`${component.name} ${component.version}${others.length === 0 ? "" : `; also ${others.join(", ")}`}`);
  terminal.out(printYaml(spec).trimEnd());
}
