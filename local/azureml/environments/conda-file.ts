// A conda environment file, read as what pip can install. Conda itself is not asked for: channels are ignored, and a
// conda package is installed by pip under the same name.
import { parse } from "yaml";
import { MlpipeError } from "#shared/errors.ts";
import type { Issue } from "#shared/errors.ts";
import { machineNames, pipNames } from "./conda-names.ts";

export interface PythonEnvironment {
  /** Wanted Python as `major.minor`; undefined when any will do. */
  readonly python: string | undefined;
  readonly wantsPip: boolean;
  /** Lines of a requirements file, options (`--extra-index-url ...`) first. */
  readonly requirements: readonly string[];
  /** Conda packages that are installed by pip under the same name, for the message when that fails. */
  readonly fromConda: readonly string[];
}

const condaPackage = /^(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)$/;
const pipOption = /^-/;

/**
 * Reads a conda file (YAML or JSON text).
 * @throws MlpipeError `InvalidRequest` naming every entry that pip cannot install and what to write instead.
 */
export function parseCondaFile(text: string): PythonEnvironment {
  const entries = readDependencies(text);
  const issues: Issue[] = [];
  const options: string[] = [];
  const packages: string[] = [];
  const fromConda: string[] = [];
  let python: string | undefined;
  let wantsPip = false;
  entries.forEach((entry, index) => {
    const path = `dependencies[${index}]`;
    const refuse = (message: string) => issues.push({ path, message, severity: "error" });
    if (isPipSection(entry)) {
      wantsPip = true;
      for (const line of entry.pip.map((item) => String(item).trim())) {
        if (/^(-r|--requirement|-c|--constraint)\b/.test(line))
          refuse(`\`${line}\` names a file that does not travel with the environment: list its packages here`);
        else if (/^(-e|--editable)\b|^\.{0,2}\//.test(line))
          refuse(`\`${line}\` is a local path: put the code into the component's \`code\` folder instead`);
        else if (pipOption.test(line)) options.push(line);
        else if (line !== "") packages.push(line);
      }
      return;
    }
    if (typeof entry !== "string") return refuse("is neither a package nor a `pip:` list");
    const [, name = "", constraint = ""] = condaPackage.exec(entry.trim()) ?? [];
    if (name === "") refuse(`\`${entry}\` is not a conda package`);
    else if (name === "python") python = /(\d+\.\d+)/.exec(constraint)?.[1];
    else if (name === "pip") wantsPip = true;
    else if (name === "setuptools" || name === "wheel") packages.push(`${name}${toPipConstraint(constraint) ?? ""}`);
    else if (machineNames.has(name))
      refuse(`\`${name}\` is no Python package: install it on this machine and leave it out of the file`);
    else if (pipNames[name] !== undefined)
      refuse(`\`${name}\` has another name in pip: list \`${pipNames[name]}\` under \`pip\``);
    else {
      const pinned = toPipConstraint(constraint);
      if (pinned === undefined)
        return refuse(`\`${entry}\` cannot be said to pip: list \`${name}\` under \`pip\` with a version pip knows`);
      packages.push(`${name}${pinned}`);
      fromConda.push(name);
    }
  });
  if (issues.length > 0)
    throw new MlpipeError(
      "InvalidRequest",
      `The conda file cannot be built: ${issues.map((issue) => issue.message).join("; ")}`,
      { issues },
    );
  return { python, wantsPip, requirements: [...options, ...packages], fromConda };
}

function readDependencies(text: string): unknown[] {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new MlpipeError("InvalidRequest", `The conda file is not YAML: ${String(cause).split("\n")[0]}`, { cause });
  }
  if (typeof document !== "object" || document === null)
    throw new MlpipeError("InvalidRequest", "The conda file is empty or no mapping");
  const dependencies = "dependencies" in document ? (document.dependencies ?? []) : [];
  if (!Array.isArray(dependencies))
    throw new MlpipeError("InvalidRequest", "The conda file's `dependencies` is not a list");
  return dependencies;
}

function isPipSection(entry: unknown): entry is { pip: unknown[] } {
  return typeof entry === "object" && entry !== null && "pip" in entry && Array.isArray(entry.pip);
}

/** `=1.26` -> `==1.26.*`, `==1.26.4` and ranges as they are, a build string dropped; undefined for what only conda can say. */
function toPipConstraint(constraint: string): string | undefined {
  const text = constraint.trim().replace(/\s*,\s*/g, ",");
  if (text === "" || text === "*") return "";
  if (text.includes("|") || text.includes("[")) return undefined;
  const fuzzy = /^(?:=\s*|)(\d[\w.!+]*?)(\.?\*)?(?:[=\s][\w.*]+)?$/.exec(text);
  if (fuzzy !== null) return `==${fuzzy[1]}.*`;
  const exact = /^==\s*(\d[\w.!+]*?)(\.\*)?(?:=[\w.*]+)?$/.exec(text);
  if (exact !== null) return `==${exact[1]}${exact[2] ?? ""}`;
  return /^(?:(?:[<>]=?|!=|~=|==)\s*\d[\w.!+*]*,?)+$/.test(text) ? text.replace(/\s+/g, "") : undefined;
}
