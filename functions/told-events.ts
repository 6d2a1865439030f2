// Entries of the event record as people read them: each upload with what became of it.
import type { LogEntry, UploadEntry } from "#shared/domain/dataset/event-log.ts";
import type { EventDocument } from "#shared/domain/dataset/documents.ts";
import { fateOf } from "#shared/domain/dataset/fate.ts";
import type { VersionRecord } from "#shared/domain/dataset/version-record.ts";
import type { DatasetVersions } from "./dataset-versions.ts";

/** Longer lists of files are not read for a page of events. */
const readableFiles = 20_000;

interface ToldVersion {
  readonly record: VersionRecord | undefined;
  readonly manifests: ReadonlyMap<number, ReadonlyMap<string, string>>;
}

/** @returns a reader of entries that asks for each version once */
export function createTeller(versions: DatasetVersions) {
  const known = new Map<string, Promise<ToldVersion>>();

  async function readVersion(dataset: string, version: string): Promise<ToldVersion> {
    const record = (await versions.read(dataset, version))?.record;
    const manifests = new Map<number, ReadonlyMap<string, string>>();
    for (const { number, files } of record?.arrivals ?? []) {
      if (files > readableFiles) continue;
      const list = await versions.manifest(dataset, version, number);
      manifests.set(number, new Map(list.map(({ path, etag }) => [path, etag])));
    }
    return { record, manifests };
  }

  function versionOf({ dataset = "", version = "" }: UploadEntry): Promise<ToldVersion> {
    const key = JSON.stringify([dataset, version]);
    let told = known.get(key);
    if (told === undefined) {
      told = readVersion(dataset, version);
      known.set(key, told);
    }
    return told;
  }

  return async function tell(entry: LogEntry): Promise<EventDocument> {
    const { kind, time, dataset, version } = entry;
    const place = {
      ...(dataset === undefined ? {} : { dataset }),
      ...(version === undefined ? {} : { version }),
    };
    switch (kind) {
      case "upload": {
        const { file = entry.path, size } = entry;
        const needsVersion = entry.verdict === "taken";
        const { record, manifests } = needsVersion
          ? await versionOf(entry)
          : { record: undefined, manifests: new Map<number, ReadonlyMap<string, string>>() };
        return { kind, time, ...place, file, size, ...fateOf(entry, record, manifests) };
      }
      case "arrival": {
        const { status, files, runId, reason } = entry;
        const about = { ...(runId === undefined ? {} : { runId }), ...(reason === undefined ? {} : { reason }) };
        return { kind, time, ...place, fate: status, files, ...about };
      }
      case "found":
        return { kind, time, ...place, fate: "found", files: entry.files };
    }
  };
}
