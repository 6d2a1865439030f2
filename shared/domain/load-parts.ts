// The parts of a node or component that name files: code, environment and inputs. Each comes back with the content, or a
// placeholder for an upload, in the path's place.
import { localPathOf, placeholderIn } from "./asset-references.ts";
import { isDataType } from "./data-types.ts";
import { meantBinding, parseBinding } from "./expressions.ts";
import { type Field, type IssueList, fieldOf } from "./issue-list.ts";
import type { LocalFiles } from "./local-files.ts";
import { readYaml } from "./read-yaml.ts";
import { type Mapping, isMapping } from "./shape.ts";
import { keepSource } from "./source-map.ts";

export function createPartLoader(local: LocalFiles, list: IssueList) {
  async function code(value: Mapping, path: string): Promise<Mapping> {
    const { code: reference, additional_includes: includes, ...rest } = value;
    if (typeof reference !== "string" || !namesFileHere(reference)) {
      if (Array.isArray(includes) && includes.length > 0)
        list.error(fieldOf(path, value, "additional_includes"), "there is no local `code:` folder to add files to");
      return includes === undefined
        ? value
        : keepSource(value, reference === undefined ? rest : { ...rest, code: reference });
    }
    const field = fieldOf(path, value, "code");
    const token = await local.reserve(
      "code",
      reference,
      field,
      includePaths(includes, fieldOf(path, value, "additional_includes")),
    );
    return keepSource(value, { ...rest, code: token ?? reference });
  }

  function includePaths(includes: unknown, field: Field): string[] {
    if (includes === undefined || includes === null) return [];
    if (!Array.isArray(includes)) {
      list.error(field, "expected a list of files and folders");
      return [];
    }
    return (includes as unknown[]).flatMap((include, index) => {
      const at = fieldOf(field.path, includes, index);
      if (typeof include === "string") return local.resolve(include, at) ?? [];
      list.error(at, "expected the path of a file or folder");
      return [];
    });
  }

  async function environment(value: Mapping, path: string, key = "environment"): Promise<Mapping> {
    const given = value[key];
    const field = fieldOf(path, value, key);
    if (typeof given === "string" && namesFileHere(given)) {
      if (!/^file:|^\.{0,2}\/|\.ya?ml$/.test(given)) {
        list.error(
          field,
          `\`${given}\` names no environment; write \`azureml:${given}@latest\`, a file, or a mapping with \`image\``,
        );
        return value;
      }
      const from = local.resolve(given, field);
      const found = from === undefined ? undefined : await local.file(from, field);
      return keepSource(value, {
        ...value,
        [key]: found === undefined ? given : await environmentParts(found, field.path),
      });
    }
    return isMapping(given) ? keepSource(value, { ...value, [key]: await environmentParts(given, field.path) }) : value;
  }

  async function environmentParts(spec: Mapping, path: string): Promise<Mapping> {
    const parts: Record<string, unknown> = { ...spec };
    const { conda_file: conda, build } = spec;
    const condaField = fieldOf(path, spec, "conda_file");
    if (typeof conda === "string" && !conda.includes("\n")) {
      const from = local.resolve(conda, condaField);
      const text = from === undefined ? undefined : await local.textOf(from, condaField);
      if (text !== undefined) list.add(readYaml(text, from).issues);
      parts.conda_file = text ?? conda;
    }
    if (isMapping(build) && typeof build.path === "string" && namesFileHere(build.path)) {
      parts.build = keepSource(build, {
        ...build,
        path: (await local.reserve("code", build.path, fieldOf(`${path}.build`, build, "path"))) ?? build.path,
      });
    }
    return keepSource(spec, parts);
  }

  async function inputs(values: Mapping, path: string, declarations?: unknown): Promise<Mapping> {
    const loaded: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      const declaration = isMapping(declarations) ? declarations[name] : undefined;
      const declaredType = isMapping(declaration) ? declaration.type : undefined;
      const isData = typeof value === "string" && isDataType(declaredType);
      if (isMapping(value) && typeof value.path === "string")
        loaded[name] = await input(value, value.path, fieldOf(`${path}.${name}`, value, "path"));
      else if (isData && value.trim() !== "")
        loaded[name] = await shortInput(value, declaredType, fieldOf(path, values, name));
      else loaded[name] = value;
    }
    return keepSource(values, loaded);
  }

  async function input(value: Mapping, reference: string, field: Field): Promise<Mapping> {
    const path = await dataPath(reference, field);
    return keepSource(value, { ...value, path });
  }

  /** A path written where the declared type wants data. */
  async function shortInput(reference: string, type: unknown, field: Field): Promise<unknown> {
    return namesFileHere(reference) ? { type, path: await dataPath(reference, field) } : reference;
  }

  async function dataPath(reference: string, field: Field): Promise<string> {
    return (namesFileHere(reference) ? await local.reserveData(reference, field) : undefined) ?? reference;
  }

  return { code, environment, inputs };
}

/** Whether a text names a file or folder here, or stands for one, and is no binding or thing elsewhere. */
function namesFileHere(reference: string): boolean {
  if (parseBinding(reference, { allowShort: true }) !== undefined || meantBinding(reference) !== undefined)
    return false;
  return localPathOf(reference) !== undefined || placeholderIn(reference) !== undefined;
}
