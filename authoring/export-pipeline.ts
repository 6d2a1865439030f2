// A pipeline written in TypeScript as the YAML that `az ml job create -f` takes.
import { isLiteralType } from "#shared/domain/data-types.ts";
import { fileReferences } from "#shared/domain/file-references.ts";
import type { FileSource } from "#shared/domain/file-source.ts";
import { moveYaml } from "#shared/domain/move-yaml.ts";
import { folderOf, joinPath, nameOf, relativePath } from "#shared/domain/posix-path.ts";
import { printYaml } from "#shared/domain/print-yaml.ts";
import { type Mapping, isMapping } from "#shared/domain/shape.ts";
import type { YamlPath } from "#shared/domain/yaml-text.ts";
import { toJob } from "./pipeline-job.ts";
import type { Pipeline } from "./pipeline.ts";

export interface ExportedFile {
  /** Absolute, posix. */
  readonly path: string;
  readonly text: string;
}

export interface ExportOptions {
  /** The module, absolute. */
  readonly file: string;
  readonly files: FileSource;
  /** Absolute; each component written in TypeScript becomes a file in it. Without it all is one text for the module's folder. */
  readonly folder?: string | undefined;
  /** The content of component files stands in the text instead of their names. */
  readonly isInline?: boolean | undefined;
}

const schemas = "https://azuremlschemas.azureedge.net/latest";

/** The pipeline's own file comes first. `warnings` say what `az ml` still has to be told. */
export async function exportPipeline(
  pipeline: Pipeline,
  { file, files, folder, isInline = false }: ExportOptions,
): Promise<{ readonly files: readonly ExportedFile[]; readonly warnings: readonly string[] }> {
  const { job, warnings } = toJob(pipeline);
  const path = joinPath(folder ?? folderOf(file), `${pipeline.name}.yml`);
  const components = createComponents(joinPath(folderOf(path), "components"));
  const whole = {
    $schema: `${schemas}/pipelineJob.schema.json`,
    ...withPaths(job, (to) => joinPath(folderOf(file), to)),
  };
  const split = folder === undefined || isInline ? whole : components.takeFrom(whole);
  const text = printYaml(namedFrom(path, split), `Written by \`mlpipe export\` from ${nameOf(file)}.`);
  const found = [{ path, text: isInline ? await inlined({ path, text }, files) : text }, ...components.files()];
  const isNested = nodesOf(split).some(
    ({ type, component }) => type === "pipeline" && (isInline || isMapping(component)),
  );
  const isPreview = hasPreview(whole);
  return {
    files: found,
    warnings: [...warnings, ...(isNested ? [nestedWarning] : []), ...(isPreview ? [previewWarning] : [])],
  };
}

const nestedWarning = "`az ml` takes sub-pipelines from files only: export with `--out <folder>`";
const previewWarning =
  "`az ml` takes conditions, loops and primitive outputs with AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED=true only: they are in preview";

/** Whether a pipeline or component has what Azure ML keeps in private preview. */
function hasPreview(spec: unknown): boolean {
  if (!isMapping(spec)) return false;
  const isPrimitive = Object.values(isMapping(spec.outputs) ? spec.outputs : {}).some(
    (port) => isMapping(port) && isLiteralType(port.type),
  );
  return (
    isPrimitive ||
    nodesOf(spec).some(
      ({ type, component, trial }) =>
        ["if_else", "do_while", "parallel_for"].includes(String(type)) || hasPreview(component ?? trial),
    )
  );
}

function inlined({ path, text }: ExportedFile, files: FileSource): Promise<string> {
  const withText: FileSource = { ...files, readText: async (name) => (name === path ? text : files.readText(name)) };
  return moveYaml(path, { files: withText, folder: folderOf(path), isInline: true });
}

/** Takes components out of a pipeline into files of their own, one for each content. */
function createComponents(folder: string) {
  const taken = new Map<string, { readonly content: string; readonly text: string }>();

  function takeFrom(pipeline: Mapping): Mapping {
    if (!isMapping(pipeline.jobs)) return pipeline;
    const jobs = Object.entries(pipeline.jobs).map(([name, node]) => {
      if (!isMapping(node)) return [name, node];
      const key = node.trial === undefined ? "component" : "trial";
      return [name, isMapping(node[key]) ? { ...node, [key]: take(node[key]) } : node];
    });
    return { ...pipeline, jobs: Object.fromEntries(jobs) };
  }

  /** The path of the file. */
  function take(component: Mapping): string {
    const content = JSON.stringify(component);
    const name = String(component.name);
    for (let count = 1; ; count++) {
      const path = `${folder}/${name}${count === 1 ? "" : `_${count}`}.yml`;
      const other = taken.get(path);
      if (other?.content === content) return path;
      if (other !== undefined) continue;
      taken.set(path, { content, text: "" });
      const $schema = `${schemas}/${String(component.type)}Component.schema.json`;
      taken.set(path, { content, text: printYaml(namedFrom(path, { $schema, ...takeFrom(component) })) });
      return path;
    }
  }

  return { takeFrom, files: (): ExportedFile[] => [...taken].map(([path, { text }]) => ({ path, text })) };
}

function nodesOf({ jobs }: Mapping): Mapping[] {
  return Object.values(isMapping(jobs) ? jobs : {}).filter(isMapping);
}

/** The document with its absolute paths as the file `path` writes them. */
function namedFrom(path: string, document: Mapping): Mapping {
  return withPaths(document, (to) => relativePath(folderOf(path), to));
}

function withPaths(document: Mapping, change: (path: string) => string): Mapping {
  return fileReferences(document).reduce(
    (changed, { path, reference }) => put(changed, path, change(reference)),
    document,
  );
}

function put<Holder extends object>(holder: Holder, [key, ...rest]: YamlPath, value: string): Holder {
  if (key === undefined) return holder;
  const inner: unknown = Reflect.get(holder, key);
  const changed = typeof inner === "object" && inner !== null ? put(inner, rest, value) : value;
  // The copy differs from its holder in one text alone.
  return (Array.isArray(holder) ? holder.with(Number(key), changed) : { ...holder, [key]: changed }) as Holder;
}
