// Tells what data is by listing it: the inputs that exist outside a run, the outputs of a job, and the outputs of an earlier run
// that may stand for a job's.
import { isRestError } from "@azure/core-rest-pipeline";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { type FileVersion, identifyData } from "#shared/domain/data-identity.ts";
import type { DataType } from "#shared/domain/data-types.ts";
import { isPlaceIn, parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { runsFolder } from "#shared/domain/layout.ts";
import { isMlpipeError } from "#shared/errors.ts";

export type IdentifiedData =
  | { readonly identity: string; readonly files: readonly FileVersion[] }
  | { readonly identity?: undefined; readonly unknown: string };

export interface DataPlace {
  readonly uri: string;
  readonly type: DataType;
}

/** Files of one input or output that are compared; beyond it a look would take longer than it saves. */
const comparedFiles = 100_000;
/** Files of one run that are listed at once when several of its outputs are wanted. */
const filesAtOnce = 25_000;
const madeInMind = 5_000;

export type DataIdentities = ReturnType<typeof createDataIdentities>;

export function createDataIdentities({ blobs, ml }: { blobs: Blobs; ml: Ml }) {
  async function identify({ uri, type }: DataPlace): Promise<IdentifiedData> {
    try {
      const resolved = await resolve(uri);
      const files = resolved === undefined ? undefined : await list({ uri: resolved, type });
      if (resolved === undefined) return { unknown: `${uri} lies in no datastore of the workspace` };
      if (files === undefined) return { unknown: `there are more than ${comparedFiles} files` };
      return { identity: await identifyData(resolved, files), files };
    } catch (error) {
      if (isMlpipeError(error) && error.code !== "Unavailable") return { unknown: error.message };
      if (isRestError(error) && error.statusCode !== undefined && error.statusCode < 500 && error.statusCode !== 429)
        return { unknown: `the store answers ${error.statusCode} for ${uri}` };
      throw error;
    }
  }

  /** A registered data asset names a place, and what lies there may change. */
  async function resolve(uri: string): Promise<string | undefined> {
    const direct = parseDatastoreUri(uri);
    if (direct !== undefined) return isPlaceIn(direct, ml.workspaceId) ? uri : undefined;
    const asset = /^(?:azureml:|.*\/data\/)([^/:@]+)(?::|\/versions\/)([^/:@]+)$/.exec(uri);
    const [, name, version] = asset ?? [];
    if (name === undefined || version === undefined) return undefined;
    const place = await ml.dataUri(name, version);
    const found = place === undefined ? undefined : parseDatastoreUri(place);
    return found !== undefined && isPlaceIn(found, ml.workspaceId) ? place : undefined;
  }

  async function list({ uri, type }: DataPlace): Promise<readonly FileVersion[] | undefined> {
    const place = parseDatastoreUri(uri);
    if (place === undefined) return undefined;
    const path = place.path.replace(/\/$/, "");
    const isOneFile = type === "uri_file" || (type === "custom_model" && !uri.endsWith("/"));
    const file = isOneFile ? await blobs.version(path, place.datastore) : undefined;
    if (file !== undefined) return [file];
    return type === "uri_file" ? [] : blobs.versions(path, comparedFiles, place.datastore);
  }

  /** Lists of outputs by URI, those of one run by one call. */
  async function listTogether(places: readonly DataPlace[]): Promise<Map<string, readonly FileVersion[]>> {
    const store = (await blobs.defaultStore()).name;
    const byRun = Map.groupBy(places, ({ uri, type }) => {
      // A custom model may be a file or a folder: only a look at the place itself tells.
      const place = type === "custom_model" ? undefined : parseDatastoreUri(uri);
      // mlpipe/runs/{run}/{node}/{attempt}/{output}: what the run itself has placed.
      return place?.datastore === store
        ? /^(mlpipe\/runs\/[^/]+\/)[^/]+\/\d+\/[^/]+\/?$/.exec(place.path)?.[1]
        : undefined;
    });
    const found = new Map<string, readonly FileVersion[]>();
    await Promise.all(
      [...byRun].map(async ([folder, wanted]) => {
        if (folder === undefined || wanted.length < 3) return;
        const files = await blobs.versions(folder, filesAtOnce);
        if (files === undefined) return;
        const byOutput = Map.groupBy(files, ({ path }) => path.split("/").slice(0, 3).join("/"));
        for (const { uri, type } of wanted) {
          const output = parseDatastoreUri(uri)?.path.slice(folder.length).replace(/\/$/, "") ?? "";
          const own = byOutput.get(output) ?? [];
          const isInside = ({ path }: FileVersion) =>
            type === "uri_file" ? path === output : path.length > output.length;
          const cut = type === "uri_file" ? output.lastIndexOf("/") + 1 : output.length + 1;
          found.set(
            uri,
            own.filter(isInside).map((file) => ({ ...file, path: file.path.slice(cut) })),
          );
        }
      }),
    );
    return found;
  }

  /** Identities of outputs that a job has left in its run's own folder, where they stay as they are; by URI. */
  const made = new Map<string, Promise<IdentifiedData>>();

  return {
    identify,

    /** The identity of an output that a job of ours has made, without looking twice where nobody else writes. */
    identifyMade(place: DataPlace): Promise<IdentifiedData> {
      if (parseDatastoreUri(place.uri)?.path.startsWith(runsFolder) !== true) return identify(place);
      const known = made.get(place.uri) ?? identify(place);
      made.set(place.uri, known);
      known.catch(() => made.delete(place.uri));
      const oldest = made.keys().next();
      if (made.size > madeInMind && oldest.done !== true) made.delete(oldest.value);
      return known;
    },

    /** The identities of outputs as they are now, in their order; undefined where it cannot be told. */
    async identifyOutputs(places: readonly DataPlace[]): Promise<(string | undefined)[]> {
      const together = await listTogether(places);
      return Promise.all(
        places.map(async (place) => {
          const files = together.get(place.uri);
          return files === undefined ? (await identify(place)).identity : identifyData(place.uri, files);
        }),
      );
    },
  };
}
