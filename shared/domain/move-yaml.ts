// A YAML document for another folder: what it names is named from there, or stands in it.
import { MlpipeError } from "../errors.ts";
import { fileReferences } from "./file-references.ts";
import type { FileSource } from "./file-source.ts";
import { folderOf, joinPath, relativePath } from "./posix-path.ts";
import { readYaml } from "./read-yaml.ts";
import { type Mapping, isMapping } from "./shape.ts";
import { openYaml } from "./yaml-text.ts";

export interface MoveOptions {
  readonly files: FileSource;
  /** Where the text will lie, absolute as `file` is. */
  readonly folder: string;
  /** Components and environments stand in the text instead of being named by it. */
  readonly isInline?: boolean;
}

const maxDepth = 20;

/**
 * The text of the YAML document in `file`, for `folder`; otherwise as it was, to the byte.
 *
 * @throws MlpipeError `InvalidRequest` naming the file that cannot be read
 */
export async function moveYaml(file: string, options: MoveOptions, depth = 0): Promise<string> {
  const { files, folder, isInline = false } = options;
  if (depth > maxDepth)
    throw new MlpipeError("InvalidRequest", `${file}: components are nested more than ${maxDepth} deep`);
  const { text, value } = await read(file, files);
  if (!isInline && folder === folderOf(file)) return text;
  const components = new Map<string, Mapping>();
  for (const { reference, holds } of fileReferences(value))
    if (holds === "document") components.set(reference, (await read(joinPath(folderOf(file), reference), files)).value);
  const yaml = openYaml(text);
  for (const { path, reference, holds } of fileReferences(value, (name) => components.get(name))) {
    const target = joinPath(folderOf(file), reference);
    if (isInline && holds === "document") yaml.setMapping(path, await moveYaml(target, options, depth + 1));
    else yaml.setText(path, relativePath(folder, target));
  }
  return yaml.print();
}

async function read(file: string, files: FileSource): Promise<{ text: string; value: Mapping }> {
  const text = await files.readText(file);
  if (text === undefined) throw new MlpipeError("InvalidRequest", `there is no file ${file}`);
  const { value, issues } = readYaml(text, file);
  if (issues.length > 0) throw new MlpipeError("InvalidRequest", `${file} cannot be read`, { issues });
  if (!isMapping(value)) throw new MlpipeError("InvalidRequest", `${file} holds no mapping`);
  return { text, value };
}
