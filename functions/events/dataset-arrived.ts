// A blob was written where datasets may lie. It is put on record and the version's collector is woken up; which of the files are
// there and whether they are whole is never taken from an event.
import type { EventGridEvent } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { isDataFile, isDecisive } from "#shared/domain/dataset/judge.ts";
import { isExactName } from "#shared/domain/dataset/glob.ts";
import type { UploadEntry } from "#shared/domain/dataset/event-log.ts";
import { pathInStore, readUploadEvent, type Upload, uploadKey } from "#shared/domain/dataset/upload-event.ts";
import { nearestName } from "#shared/domain/nearest-name.ts";
import type { App } from "../app.ts";
import type { KnownDataset } from "../datasets.ts";
import { wakeDataset } from "../wake-dataset.ts";

/** Where the workspace itself writes: what no dataset claims there is nobody's upload. */
const workspaceFolders = /^(?:azureml|ExperimentRun|LocalUpload|UI|managed-dataset)\//;

/** One process wakes a collector at most so often for files of which thousands may come. */
const wakePauseMs = 2_000;
const rememberedWakes = 1_000;

type Found = NonNullable<KnownDataset["dataset"]>;

interface Match {
  readonly dataset: Found;
  readonly version: string;
  readonly file: string;
}

export const datasetArrived = ({ blobs, datasets, events, log }: App) => {
  const lastWakes = new Map<string, number>();

  /** The datasets that the blob belongs to, and its path; undefined when it lies in no store that we look at. */
  async function locate(upload: Upload, known: readonly KnownDataset[]) {
    const valid = known.flatMap(({ dataset }) => dataset ?? []);
    const stores = new Map<string | undefined, string | undefined>();
    for (const datastore of new Set([undefined, ...valid.map((dataset) => dataset.datastore)])) {
      stores.set(datastore, pathInStore(upload, await blobs.store(datastore)));
    }
    const path = [...stores.values()].find((one) => one !== undefined);
    const matches = valid.flatMap((dataset): Match[] => {
      const own = stores.get(dataset.datastore);
      const at = own === undefined ? undefined : dataset.place.parse(own);
      return at === undefined ? [] : [{ dataset, ...at }];
    });
    return path === undefined ? undefined : { path, matches };
  }

  function isDue({ dataset, version, file }: Match): boolean {
    if (!isDecisive(dataset, file)) return false;
    if (file === dataset.ready || dataset.files.some((pattern) => isExactName(pattern) && pattern === file))
      return true;
    const key = `${dataset.name}/${version}`;
    const now = Date.now();
    if (now - (lastWakes.get(key) ?? 0) < wakePauseMs) return false;
    lastWakes.delete(key);
    lastWakes.set(key, now);
    const oldest = lastWakes.keys().next();
    if (lastWakes.size > rememberedWakes && oldest.done !== true) lastWakes.delete(oldest.value);
    return true;
  }

  async function take(client: DurableClient, upload: Upload, path: string, match: Match): Promise<void> {
    const { dataset, version, file } = match;
    const isCounted = isDataFile(dataset, file) || file === dataset.ready;
    const isEmpty = upload.size === 0 && file !== dataset.ready && !dataset.allowsEmptyFiles;
    const reason = !isCounted
      ? "no entry of the dataset's `files` names it"
      : isEmpty
        ? "it is empty, and the dataset does not allow empty files"
        : undefined;
    const about = { dataset: dataset.name, version, file };
    await record(upload, path, { ...about, verdict: reason === undefined ? "taken" : "ignored" }, reason);
    // An event may be wrong about a size, never about something having been written.
    if (!isCounted) return;
    await wakeDataset(client, { dataset: dataset.name, version }, isDue(match));
    log.debug(about, "upload seen");
  }

  async function record(
    upload: Upload,
    path: string,
    about: Pick<UploadEntry, "dataset" | "version" | "file" | "verdict">,
    reason: string | undefined,
  ): Promise<void> {
    const { time, size, etag, api } = upload;
    const entry: UploadEntry = {
      kind: "upload",
      time,
      path,
      size,
      etag,
      api,
      ...about,
      ...(reason === undefined ? {} : { reason }),
    };
    const key = `${await uploadKey(upload)}${about.dataset === undefined ? "" : `-${about.dataset}`}`;
    if (await events.add(entry, key)) return;
    const told = { ...entry, verdict: "duplicate" as const, reason: "Event Grid told of this write before" };
    await events.add(told, `${key}-${crypto.randomUUID().slice(0, 8)}`);
  }

  return {
    name: "datasetArrived",
    async handle(event: EventGridEvent, client: DurableClient): Promise<void> {
      const upload = readUploadEvent(event);
      if (upload === undefined) return;
      let place = await locate(upload, await datasets.all());
      if (place === undefined || place.path.startsWith("mlpipe/")) return;
      // It may have been declared a moment ago.
      if (place.matches.length === 0) place = await locate(upload, await datasets.all(1_000));
      if (place === undefined || (place.matches.length === 0 && workspaceFolders.test(place.path))) return;
      const { path, matches } = place;
      for (const match of matches) await take(client, upload, path, match);
      if (matches.length === 0) await record(upload, path, { verdict: "refused" }, await whyNobodys(path));
    },
  };

  async function whyNobodys(path: string): Promise<string> {
    const known = await datasets.all();
    const broken = known.find(
      ({ dataset, declaration }) =>
        dataset === undefined &&
        typeof declaration["path"] === "string" &&
        path.startsWith(declaration["path"].split("{", 1)[0] || "\0"),
    );
    if (broken !== undefined) return `dataset ${broken.name} is not valid: ${broken.issues[0]?.message ?? ""}`;
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    const near = nearestName(
      folder,
      known.flatMap(({ dataset }) => dataset?.place.prefix ?? []),
    );
    return `no dataset's path fits it${near === undefined ? "" : `; did you mean ${near}?`}`;
  }
};
