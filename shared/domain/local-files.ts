// Files beside a document: read as YAML, or kept for an upload. What cannot be read becomes an issue of the field that
// names it.
import { isMlpipeError } from "../errors.ts";
import { localPathOf, placeholder, placeholderIn } from "./asset-references.ts";
import type { FileSource } from "./file-source.ts";
import type { Field, IssueExtra, IssueList } from "./issue-list.ts";
import type { LocalReference } from "./local-references.ts";
import { nearestName } from "./nearest-name.ts";
import { folderOf, joinPath, nameOf } from "./posix-path.ts";
import { readYaml } from "./read-yaml.ts";
import { type Mapping, describe, isMapping } from "./shape.ts";
import { snapshotFiles } from "./snapshot.ts";
import { fileOf } from "./source-map.ts";

export type LocalFiles = ReturnType<typeof createLocalFiles>;

/** `files` is undefined for a document that came alone; `documentFile` is where one lies that was not read as text. */
export function createLocalFiles(files: FileSource | undefined, list: IssueList, documentFile?: string) {
  const references = new Map<string, LocalReference>();
  const parsed = new Map<string, Promise<Mapping | undefined>>();
  /** A thousand nodes name few files. */
  const resolved = new Map<string, string>();

  /** A YAML file as a mapping; undefined after having told why not. */
  async function file(path: string, field: Field): Promise<Mapping | undefined> {
    const known = parsed.get(path);
    if (known !== undefined) return known;
    const reading = read(path, field);
    parsed.set(path, reading);
    return reading;
  }

  async function read(path: string, field: Field): Promise<Mapping | undefined> {
    const text = await textOf(path, field);
    if (text === undefined) return undefined;
    const { value, issues } = readYaml(text, path);
    list.add(issues);
    if (issues.length > 0) return undefined;
    if (!isMapping(value))
      list.error(field, `${path} holds ${describe(value)}; a pipeline, a component and a job are mappings of fields`);
    return isMapping(value) ? value : undefined;
  }

  /** A file's text; undefined after having told why not. */
  async function textOf(path: string, field: Field): Promise<string | undefined> {
    try {
      const text = await files?.readText(path);
      if (text === undefined) list.error(field, ...(await missing(path)));
      return text;
    } catch (error) {
      if (!isMlpipeError(error)) throw error;
      list.error(field, error.message);
      return undefined;
    }
  }

  async function missing(path: string): Promise<[string, IssueExtra?]> {
    if ((await files?.kind(path)) === "folder") return [`${path} is a folder; name the YAML file in it`];
    const names = (await files?.names?.(folderOf(path))) ?? [];
    const near = nearestName(nameOf(path), names);
    const suggestion = near === undefined ? {} : { suggestion: joinPath(folderOf(path), near) };
    return [`there is no file ${path}`, suggestion];
  }

  /** `reference` in the file source's terms; undefined after having told why it cannot be read. */
  function resolve(reference: string, field: Field): string | undefined {
    const path = localPathOf(reference) ?? reference;
    const holder = typeof field.holder === "object" && field.holder !== null ? field.holder : undefined;
    const base = (holder === undefined ? undefined : fileOf(holder)) ?? documentFile;
    if (files === undefined) {
      list.error(
        field,
        placeholderIn(reference) === undefined
          ? `\`${reference}\` is a file, and this document came without files beside it; put its content here, name something registered, or upload it first (\`POST /api/uploads\`) and put the URI here`
          : `\`${reference}\` was never uploaded`,
      );
      return undefined;
    }
    const key = `${base ?? ""}\n${path}`;
    const known = resolved.get(key) ?? (base === undefined ? joinPath("", path) : joinPath(folderOf(base), path));
    resolved.set(key, known);
    return known;
  }

  /** The placeholder for what has to be uploaded; undefined after having told what is wrong with it. */
  async function reserve(
    kind: LocalReference["kind"],
    reference: string,
    field: Field,
    includes: readonly string[] = [],
  ): Promise<string | undefined> {
    const path = resolve(reference, field);
    if (path === undefined || files === undefined) return undefined;
    const identity = JSON.stringify([kind, path, includes]);
    const known = references.get(identity);
    if (known !== undefined) return known.token;
    const additional = includes.length === 0 ? {} : { additionalIncludes: includes };
    const found: LocalReference = {
      token: placeholder(references.size + 1),
      kind,
      path,
      ...additional,
      usedBy: field.path,
    };
    try {
      await snapshotFiles(found, files);
    } catch (error) {
      if (!isMlpipeError(error)) throw error;
      list.error(field, error.message);
      return undefined;
    }
    references.set(identity, found);
    return found.token;
  }

  /** The placeholder for a folder, or for a file with its name behind it. */
  async function reserveData(reference: string, field: Field): Promise<string | undefined> {
    const token = await reserve("data", reference, field);
    const path = [...references.values()].find((entry) => entry.token === token)?.path;
    if (path === undefined) return undefined;
    return (await files?.kind(path)) === "file" ? `${token}/${nameOf(path)}` : token;
  }

  return {
    file,
    textOf,
    resolve,
    reserve,
    reserveData,
    get references(): readonly LocalReference[] {
      return [...references.values()];
    },
  };
}
