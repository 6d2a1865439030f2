import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { Command } from "commander";
import { parseDeclaration, readDeclarationText } from "#shared/domain/dataset/declaration.ts";
import { MlpipeError } from "#shared/errors.ts";
import { connect } from "../connect.ts";
import type { CliContext } from "../context.ts";
import { type ServerFlags, flags } from "../flags.ts";
import { createHint } from "../hint.ts";
import { uploadVersion } from "../upload-version.ts";
import { formatFiles } from "../views/format-files.ts";
import { renderDatasetList, renderVersion, renderVersionList } from "../views/dataset-table.ts";

interface DatasetFlags extends ServerFlags {
  readonly json?: boolean;
}

const listedVersions = 100;

export function createDatasetCommand(context: CliContext): Command {
  const command = new Command("dataset").description("data whose arrival starts runs");
  const place = (child: Command) => {
    command.addCommand(child.addOption(flags.json()).addOption(flags.home()).addOption(flags.server()));
    return child;
  };
  const named = (name: string, what: string) =>
    place(new Command(name).description(what).argument("<dataset>", "name of the dataset"));
  place(new Command("apply").description("make or change the dataset of a file"))
    .argument("<file>", "path of a dataset's YAML file; its name is the dataset's")
    .action((path: string, options: DatasetFlags) => apply(context, path, options));
  place(new Command("list").description("list the datasets")).action((options: DatasetFlags) => list(context, options));
  named("show", "show the versions of a dataset, or one version")
    .argument("[version]", "a version")
    .action((name: string, version: string | undefined, options: DatasetFlags) =>
      show(context, name, version, options),
    );
  named("upload", "upload files as a version; what makes it whole comes last")
    .argument("<version>", "the version's name")
    .argument("<path>", "a file or folder on this machine")
    .action((name: string, version: string, path: string, options: DatasetFlags) =>
      upload(context, { dataset: name, version, path }, options),
    );
  named("run", "start a run of a version as it lies there, whatever its rule says")
    .argument("<version>", "the version")
    .action((name: string, version: string, options: DatasetFlags) => run(context, name, version, options));
  named("delete", "forget a dataset; its data and runs stay").action((name: string, options: DatasetFlags) =>
    remove(context, name, options),
  );
  return command;
}

async function apply(context: CliContext, path: string, { json, ...server }: DatasetFlags): Promise<void> {
  const { terminal } = context;
  const source = await readFile(path, "utf8").catch(() => {
    throw new MlpipeError("InvalidRequest", `there is no file ${path}`);
  });
  const read = readDeclarationText(source, path);
  const declared = read.value?.["name"];
  const name = typeof declared === "string" ? declared : basename(path, extname(path));
  const { issues } = read.value === undefined ? read : parseDeclaration(read.value, name);
  if (read.value === undefined || issues.length > 0) {
    throw new MlpipeError("InvalidRequest", `${path} declares no dataset`, { issues });
  }
  const { client } = await connect(context, server, { mayBegin: true });
  const dataset = await client.putDataset(name, read.value);
  if (json === true) return terminal.out(JSON.stringify(dataset));
  terminal.out(
    `Dataset ${name}: versions at ${String(dataset.declaration["path"])} start ${String(dataset.declaration["pipeline"])}.`,
  );
  terminal.err(`To upload one: ${createHint(context, server)(`dataset upload ${name} <version> <folder>`)}`);
}

async function list(context: CliContext, { json, ...server }: DatasetFlags): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const answer = await client.listDatasets();
  if (json === true) return terminal.out(JSON.stringify(answer));
  for (const { name, issues } of answer.datasets) {
    for (const { path, message, file, line } of issues) {
      const at = file === undefined ? name : `${file}${line === undefined ? "" : `:${line}`}`;
      terminal.err(`${at}: ${path === "" ? "" : `${path}: `}${message}`);
    }
  }
  if (answer.datasets.length === 0)
    return terminal.err(`No datasets. Make one: ${createHint(context, server)("dataset apply <dataset.yml>")}`);
  terminal.out(renderDatasetList(answer.datasets, tableOptions(context)));
}

async function show(
  context: CliContext,
  name: string,
  version: string | undefined,
  { json, ...server }: DatasetFlags,
): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  if (version !== undefined) {
    const document = await client.getDatasetVersion(name, version);
    return terminal.out(json === true ? JSON.stringify(document) : renderVersion(document, tableOptions(context)));
  }
  const dataset = await client.getDataset(name);
  const versions = await client.listDatasetVersions(name, listedVersions);
  if (json === true) return terminal.out(JSON.stringify({ ...dataset, ...versions }));
  terminal.out(renderDatasetList([dataset], tableOptions(context)));
  terminal.out("");
  if (versions.versions.length === 0) return terminal.out("No version has arrived yet.");
  terminal.out(renderVersionList(versions, tableOptions(context)));
  if (versions.nextLink !== undefined) terminal.err(`There are more than ${listedVersions}.`);
}

async function upload(
  context: CliContext,
  what: { dataset: string; version: string; path: string },
  { json, ...server }: DatasetFlags,
): Promise<void> {
  const { terminal } = context;
  const { client } = await connect(context, server);
  const files = await uploadVersion(context, client, what);
  const { dataset, version } = what;
  if (json === true) return terminal.out(JSON.stringify({ dataset, version, files }));
  terminal.out(`${formatFiles(files.length)} of ${dataset} ${version} are there.`);
  terminal.err(`To see what comes of them: ${createHint(context, server)(`dataset show ${dataset} ${version}`)}`);
}

async function run(context: CliContext, name: string, version: string, options: DatasetFlags): Promise<void> {
  const { json, ...server } = options;
  const { client } = await connect(context, server);
  const document = await client.runDatasetVersion(name, version);
  const watch = createHint(context, server)(`status ${document.runId} --watch`);
  context.terminal.out(
    json === true ? JSON.stringify(document) : `Run ${document.runId} of ${document.pipeline}\nTo watch it: ${watch}`,
  );
}

async function remove(context: CliContext, name: string, { json, ...server }: DatasetFlags): Promise<void> {
  const { client } = await connect(context, server);
  await client.deleteDataset(name);
  context.terminal.out(json === true ? JSON.stringify({ name, deleted: true }) : `Dataset ${name} is deleted.`);
}

function tableOptions({ terminal }: CliContext) {
  return { colors: terminal.colorsFor(terminal.stdout), width: terminal.widthOf(terminal.stdout), now: Date.now() };
}
