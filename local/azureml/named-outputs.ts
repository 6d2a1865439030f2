// Outputs that a job's owner gave a name: once the job has completed each is a version of a data asset, or of a model.
import { z } from "zod";
import type { CommandProperties } from "./command-schema.ts";
import type { DatastoreResolver } from "./executor/contract.ts";
import { placeOutput } from "./job-outputs.ts";
import type { ResourceStore } from "./resource-store.ts";
import { userError } from "./service-error.ts";

const Named = z.looseObject({ assetName: z.string().min(1), assetVersion: z.string().min(1).optional() });

interface NamedOutput {
  readonly output: string;
  readonly kind: "data" | "models";
  readonly name: string;
  /** Absent: the next whole number. */
  readonly version?: string;
}

function namedOutputs(outputs: CommandProperties["outputs"]): NamedOutput[] {
  return Object.entries(outputs).flatMap(([output, body]): NamedOutput[] => {
    const { data } = Named.safeParse(body);
    if (data === undefined) return [];
    const { assetName: name, assetVersion: version } = data;
    const kind = body.jobOutputType.endsWith("_model") ? "models" : "data";
    return [{ output, kind, name, ...(version === undefined ? {} : { version }) }];
  });
}

const assetName = /^[a-zA-Z0-9][\w.-]{0,254}$/;

/** @throws ServiceError when a name is none, or a version is taken already: what it points at would change. */
export function checkNamedOutputs(resources: ResourceStore, outputs: CommandProperties["outputs"]): void {
  for (const { output, kind, name, version } of namedOutputs(outputs)) {
    const wrong = [name, ...(version === undefined ? [] : [version])].find((text) => !assetName.test(text));
    if (wrong !== undefined)
      throw userError(`The output ${output} is to be called ${wrong}: letters, digits, -, _ and . only, at most 255.`);
    if (version !== undefined && resources.get({ kind, name, version }) !== undefined)
      throw userError(takenVersion(output, kind, name, version));
  }
}

function takenVersion(output: string, kind: NamedOutput["kind"], name: string, version: string): string {
  const what = kind === "models" ? "model" : "data asset";
  return `The output ${output} is to become version ${version} of the ${what} ${name}, which exists already: name another version, or none to get the next.`;
}

/**
 * Registers what a completed job has made; doing so again changes nothing.
 *
 * @returns what is wrong when another job has taken a version meanwhile
 */
export function registerNamedOutputs(
  { resources, datastores }: { resources: ResourceStore; datastores: DatastoreResolver },
  jobName: string,
  outputs: CommandProperties["outputs"],
): string | undefined {
  for (const { output, kind, name, version } of namedOutputs(outputs)) {
    const { jobOutputType: type, uri: chosen } = outputs[output] ?? { jobOutputType: "uri_folder" };
    const place = { jobName, name: output, type, ...(chosen === undefined ? {} : { uri: chosen }) };
    const uri = placeOutput(datastores, place);
    const isThere = resources
      .list(kind, { name, listViewType: "All", limit: 1000 })
      .some(({ properties }) => [properties["dataUri"], properties["modelUri"]].includes(uri));
    if (isThere) continue;
    if (version !== undefined && resources.get({ kind, name, version }) !== undefined)
      return takenVersion(output, kind, name, version);
    const about = { tags: {}, properties: {}, isArchived: false };
    const points = kind === "models" ? { modelUri: uri, modelType: type, jobName } : { dataUri: uri, dataType: type };
    if (resources.get({ kind, name }) === undefined)
      resources.put({ kind, name }, { ...about, ...(kind === "data" ? { dataType: type } : {}) });
    const wanted = version ?? resources.nextVersion(kind, name);
    resources.put({ kind, name, version: wanted }, { ...about, ...points, isAnonymous: false });
  }
  return undefined;
}
