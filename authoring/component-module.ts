// The TypeScript of component files: a module that names each and declares its ports, which is all that wiring needs.
import type { DataType, LiteralType } from "#shared/domain/data-types.ts";
import { createIssueList } from "#shared/domain/issue-list.ts";
import { type InputDeclaration, readInputDeclarations, readOutputs } from "#shared/domain/ports.ts";
import { folderOf, nameOf, relativePath } from "#shared/domain/posix-path.ts";
import { readYaml } from "#shared/domain/read-yaml.ts";
import { isMapping } from "#shared/domain/shape.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { ComponentKind } from "./component.ts";

export interface ComponentFile {
  /** Absolute, posix. */
  readonly path: string;
  /** What an error calls it. */
  readonly name: string;
  readonly text: string;
}

const builders: Readonly<Record<DataType | LiteralType, string>> = {
  uri_file: "uriFile",
  uri_folder: "uriFolder",
  mltable: "mltable",
  mlflow_model: "mlflowModel",
  custom_model: "customModel",
  triton_model: "tritonModel",
  number: "number",
  integer: "integer",
  boolean: "boolean",
  string: "string",
};
const kinds: readonly unknown[] = ["command", "parallel", "pipeline"] satisfies ComponentKind[];
/** What JavaScript does not take as a name. */
const reserved =
  /^(?:break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|while|with|yield|let|static|await|loadComponent)$/;

/**
 * The text of the module.
 *
 * @param module - its absolute path: the files are named relative to it
 * @throws MlpipeError `InvalidRequest` naming each file that holds no component
 */
export function componentModule(files: readonly ComponentFile[], module: string): string {
  const list = createIssueList();
  const used = new Set(["loadComponent"]);
  const exported = new Map<string, string>();

  function exportOf({ path, name: file, text }: ComponentFile): string {
    const { value, issues } = readYaml(text, file);
    list.add(issues);
    if (issues.length > 0) return "";
    const spec = isMapping(value) ? value : {};
    const kind = spec.type ?? (spec.jobs === undefined ? "command" : "pipeline");
    const name = exportName(spec.name, path);
    if (!kinds.includes(kind)) fail(file, "is no command, parallel or pipeline component");
    if (exported.has(name)) fail(file, `has the name \`${name}\`, as ${exported.get(name)} has`);
    exported.set(name, file);
    const inputs = [...readInputDeclarations(spec.inputs, "inputs", list)].map(
      ([input, port]) => [input, inputOf(port)] as const,
    );
    const outputs = [...readOutputs(spec.outputs, "outputs", list)].map(
      ([output, { type = "uri_folder", literal }]) => [output, `${use(literal ?? type)}()`] as const,
    );
    const fields = [
      ...(kind === "command" ? [] : [`type: ${JSON.stringify(kind)}`]),
      ...(typeof spec.name === "string" ? [`name: ${JSON.stringify(spec.name)}`] : []),
      "from: import.meta.url",
      ...(inputs.length === 0 ? [] : [`inputs: ${mappingOf(inputs)}`]),
      ...(outputs.length === 0 ? [] : [`outputs: ${mappingOf(outputs)}`]),
    ];
    const reference = JSON.stringify(relativePath(folderOf(module), path));
    return `export const ${name} = loadComponent(${reference}, {\n${fields.map((field) => `  ${field},\n`).join("")}});\n`;
  }

  /** Of an input only what its type depends on. */
  function inputOf(port: InputDeclaration): string {
    const options = port.isOptional ? ["optional: true"] : [];
    if (port.kind === "literal") {
      if (port.default !== undefined) options.push(`default: ${defaultOf(port.type, port.default)}`);
      if (port.enum !== undefined) options.push(`enum: [${port.enum.map((text) => JSON.stringify(text)).join(", ")}]`);
    }
    return `${use(port.type)}(${options.length === 0 ? "" : `{ ${options.join(", ")} }`})`;
  }

  function use(type: DataType | LiteralType): string {
    used.add(builders[type]);
    return builders[type];
  }

  function fail(file: string, message: string): void {
    list.add([{ path: "", file, message, severity: "error" }]);
  }

  const exports = files.map(exportOf);
  if (list.hasErrors) throw new MlpipeError("InvalidRequest", "no types were written", { issues: list.issues });
  return [
    "// Written by `mlpipe types` from the files named here; write it anew when their inputs or outputs change.\n",
    importOf([...used].toSorted()),
    ...exports.map((text) => `\n${text}`),
  ].join("");
}

/** As the formatter would leave it. */
function importOf(names: readonly string[]): string {
  const line = `import { ${names.join(", ")} } from "mlpipe";\n`;
  return line.length <= 121 ? line : `import {\n${names.map((name) => `  ${name},\n`).join("")}} from "mlpipe";\n`;
}

function mappingOf(entries: readonly (readonly [string, string])[]): string {
  return `{\n${entries.map(([name, value]) => `    ${/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)}: ${value},\n`).join("")}  }`;
}

function defaultOf(type: LiteralType, text: string): string {
  if (type === "string") return JSON.stringify(text);
  if (type === "boolean") return text.toLowerCase();
  const amount = Number(text);
  return Number.isFinite(amount) ? String(amount) : "NaN";
}

function exportName(name: unknown, path: string): string {
  const stem = nameOf(path).replace(/\.ya?ml$/, "");
  const given = typeof name === "string" && name !== "" ? name : stem === "component" ? nameOf(folderOf(path)) : stem;
  const identifier = given.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^(?=[0-9])/, "_");
  return isTaken(identifier) ? `${identifier}_component` : identifier;
}

function isTaken(name: string): boolean {
  return reserved.test(name) || Object.values(builders).includes(name);
}
