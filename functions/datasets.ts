// The datasets this app knows: files deployed with it, and registrations sent to the API. Every upload asks for them, so they are
// remembered for some seconds.
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Records } from "#shared/azure/records.ts";
import type { Dataset } from "#shared/domain/dataset/dataset.ts";
import { parseDeclaration, readDeclarationText } from "#shared/domain/dataset/declaration.ts";
import { type DatasetPlace, parseDatasetPath } from "#shared/domain/dataset/place.ts";
import { declarationFolder, declarationPath, sincePath } from "#shared/domain/dataset/version-record.ts";
import { isMapping, type Mapping } from "#shared/domain/shape.ts";
import { type Issue, MlpipeError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";

export interface KnownDataset {
  readonly name: string;
  readonly source: "deployed" | "registered";
  /** As it was written. */
  readonly declaration: Mapping;
  /** Undefined when `issues` says what is wrong. */
  readonly dataset?: Dataset & { readonly place: DatasetPlace };
  readonly issues: readonly Issue[];
}

export type Datasets = ReturnType<typeof createDatasets>;

const extensions = [".yml", ".yaml"];
const rememberedMs = 10_000;
/** Twice the scan's period: so long a deployed dataset may go unseen. */
const unseenMs = 10 * 60_000;
/** Registrations that are read; a workspace has tens. */
const maxRegistrations = 1_000;

export function createDatasets({ folder, records, log }: { folder: string; records: Records; log: Log }) {
  let known: { list: Promise<readonly KnownDataset[]>; time: number } | undefined;
  const sinces = new Map<string, Promise<number>>();

  async function readDeployed(): Promise<KnownDataset[]> {
    const entries = (await readdir(folder).catch(() => [])).filter((entry) => extensions.includes(extname(entry)));
    return Promise.all(
      entries.toSorted().map(async (entry) => {
        const name = entry.slice(0, -extname(entry).length);
        const { value, issues } = readDeclarationText(await readFile(join(folder, entry), "utf8"), `datasets/${entry}`);
        if (value === undefined) return { name, source: "deployed" as const, declaration: {}, issues };
        return toKnown(name, "deployed", value);
      }),
    );
  }

  async function readRegistered(): Promise<KnownDataset[]> {
    const { entries } = await records.page(declarationFolder, maxRegistrations);
    const read = await Promise.all(
      entries.map(async ({ path }) => {
        const text = (await records.read(path))?.text;
        const value: unknown = text === undefined ? undefined : JSON.parse(text);
        const name = path.slice(declarationFolder.length).replace(/\.json$/, "");
        return isMapping(value) ? toKnown(name, "registered", value) : undefined;
      }),
    );
    return read.filter((one) => one !== undefined);
  }

  async function readAll(): Promise<readonly KnownDataset[]> {
    const [deployed, registered] = await Promise.all([readDeployed(), readRegistered()]);
    for (const { name, issues } of deployed)
      if (issues.length > 0) log.error({ dataset: name, issues }, "dataset not valid");
    const names = new Set(deployed.map(({ name }) => name));
    return [...deployed, ...registered.filter(({ name }) => !names.has(name))];
  }

  function all(maxAgeMs = rememberedMs): Promise<readonly KnownDataset[]> {
    if (known !== undefined && Date.now() - known.time <= maxAgeMs) return known.list;
    const fresh = { list: readAll(), time: Date.now() };
    known = fresh;
    fresh.list.catch(() => {
      if (known === fresh) known = undefined;
    });
    return fresh.list;
  }

  return {
    /** @param maxAgeMs how old the answer may be */
    all,

    /** @throws MlpipeError `NotFound` */
    async get(name: string): Promise<KnownDataset> {
      const found = (await all(0)).find((one) => one.name === name);
      if (found === undefined) throw new MlpipeError("NotFound", `There is no dataset ${name}`);
      return found;
    },

    /** The dataset by that name that is valid, or undefined. */
    async find(name: string): Promise<KnownDataset["dataset"]> {
      const remembered = (await all()).find((one) => one.name === name);
      return (remembered ?? (await all(1_000)).find((one) => one.name === name))?.dataset;
    },

    /**
     * Registers a dataset, or replaces its registration.
     *
     * @returns whether it is a new one
     * @throws MlpipeError `InvalidRequest` with every issue; `Conflict` when a file of the app has that name
     */
    async put(name: string, declaration: Mapping): Promise<{ isNew: boolean }> {
      const { issues } = toKnown(name, "registered", declaration);
      const [first] = issues;
      if (first !== undefined) {
        throw new MlpipeError("InvalidRequest", `${first.path === "" ? "" : `${first.path}: `}${first.message}`, {
          issues,
        });
      }
      refuseDeployed(name, await readDeployed());
      const before = await records.read(declarationPath(name));
      if (!(await records.replace(declarationPath(name), JSON.stringify(declaration), before?.etag))) {
        throw new MlpipeError(
          "Conflict",
          `Dataset ${name} was changed by somebody else at this moment; look at it and try again`,
        );
      }
      known = undefined;
      await this.since(name, "registered");
      return { isNew: before === undefined };
    },

    /** Forgets a registration; what has arrived stays on record. @throws MlpipeError `NotFound`, `Conflict` as `put` */
    async remove(name: string): Promise<void> {
      refuseDeployed(name, await readDeployed());
      if (!(await records.remove(declarationPath(name))))
        throw new MlpipeError("NotFound", `There is no dataset ${name}`);
      await records.remove(sincePath(name));
      sinces.delete(name);
      known = undefined;
    },

    /**
     * From when on uploads into this dataset count, in milliseconds: the scan leaves alone what was there before. A registration
     * counts from its request on; a file of the app from some minutes before the app first saw it, since nobody looks at it in the
     * moment of its deployment.
     */
    since(name: string, source: KnownDataset["source"]): Promise<number> {
      let since = sinces.get(name);
      if (since === undefined) {
        const start = Date.now() - (source === "deployed" ? unseenMs : 0);
        since = readSince(records, name, start).catch((error: unknown) => {
          sinces.delete(name);
          throw error;
        });
        sinces.set(name, since);
      }
      return since;
    },
  };
}

async function readSince(records: Records, name: string, start: number): Promise<number> {
  const path = sincePath(name);
  if (await records.replace(path, JSON.stringify({ since: new Date(start).toISOString() }), undefined)) return start;
  const stored = JSON.parse((await records.read(path))?.text ?? "{}") as { since?: string }; // our own record
  return Date.parse(stored.since ?? "") || start;
}

function toKnown(name: string, source: KnownDataset["source"], declaration: Mapping): KnownDataset {
  const { dataset, issues } = parseDeclaration(declaration, name);
  if (dataset === undefined) return { name, source, declaration, issues };
  const place = parseDatasetPath(dataset.path);
  // A declaration with such a path has an issue.
  if (typeof place === "string") throw new Error(place);
  return { name, source, declaration, dataset: { ...dataset, place }, issues };
}

function refuseDeployed(name: string, deployed: readonly KnownDataset[]): void {
  if (deployed.some((one) => one.name === name)) {
    throw new MlpipeError("Conflict", `Dataset ${name} is deployed with the app: change its file in datasets/ instead`);
  }
}
