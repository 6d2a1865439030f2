// What an environment holds that nobody registered with its packages: the user's own word in a file of the home folder, or what
// is known of curated ones and of well-known images.
import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";
import { nearestName } from "#shared/domain/nearest-name.ts";
import { userError } from "../service-error.ts";
import { type CuratedEnvironment, curatedTitles, findCurated, findImage } from "./curated.ts";

export interface Catalog {
  /** Conda file of an environment by its name and version; undefined when nobody knows it. @throws ServiceError when the user's file is broken */
  ofName(name: string, version: string): string | undefined;
  /** Conda file of an image; undefined for one that is a Python and no more. @throws ServiceError as above */
  ofImage(image: string): string | undefined;
  /** What to do about an environment that nobody knows. */
  advice(name: string): string;
}

type Entries = ReadonlyMap<string, string>;

/** @param file YAML: name of an environment or image -> list of pip packages, or a conda file's content; it need not exist */
export function createCatalog(file: string | undefined): Catalog {
  let read: { readonly changedAt: number; readonly entries: Entries } | undefined;

  function entries(): Entries {
    const changedAt = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (file === undefined || changedAt === undefined) return new Map();
    if (read?.changedAt !== changedAt) read = { changedAt, entries: readEntries(file) };
    return read.entries;
  }

  const own = (...names: string[]) => names.map((name) => entries().get(name.toLowerCase())).find(Boolean);

  return {
    ofName: (name, version) => own(`${name}:${version}`, name) ?? toCondaFile(findCurated(name)),
    ofImage: (image) => own(image, image.replace(/[:@][^/]*$/, "")) ?? toCondaFile(findImage(image)),
    advice(name) {
      const plain = name.replace(/^AzureML-/i, "");
      const near = nearestName(plain, [...entries().keys(), ...curatedTitles]);
      return [
        `Curated environments that this machine knows: ${curatedTitles.join(", ")} and their other versions${near === undefined ? "" : ` (did you mean ${near}?)`}.`,
        `Say which pip packages it holds: in the component, \`image\` and \`conda_file\` in place of the name;`,
        `or here alone, in ${file ?? "environments.yml"}: \`${name}: [package, ...]\`.`,
      ].join(" ");
    },
  };
}

function toCondaFile(found: CuratedEnvironment | undefined): string | undefined {
  if (found === undefined) return undefined;
  const wanted = found.python === undefined ? [] : [`python=${found.python}`];
  const pip = found.requirements.length === 0 ? [] : ["pip", { pip: found.requirements }];
  return JSON.stringify({ dependencies: [...wanted, ...pip] });
}

function readEntries(file: string): Entries {
  let document: unknown;
  try {
    document = parse(readFileSync(file, "utf8")) ?? {};
  } catch (cause) {
    throw userError(`${file} cannot be read: ${String(cause).split("\n")[0]}`);
  }
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw userError(`${file}: expected \`name: [pip packages]\` lines`);
  return new Map(Object.entries(document).map(([name, value]) => [name.toLowerCase(), readEntry(file, name, value)]));
}

function readEntry(file: string, name: string, value: unknown): string {
  if (Array.isArray(value) && value.every((line) => typeof line === "string"))
    return JSON.stringify({ dependencies: ["pip", { pip: value }] });
  if (typeof value === "object" && value !== null && "dependencies" in value) return JSON.stringify(value);
  throw userError(`${file}: \`${name}\` holds neither a list of pip packages nor a conda file's \`dependencies\``);
}
