// The routes of datasets and of the event record.
import {
  DatasetDocument,
  DatasetList,
  DatasetUploadAnswer,
  EventList,
  RunDocument,
  VersionDocument,
  VersionList,
} from "#shared/api.ts";
import type { Caller } from "./call-api.ts";

export interface EventQuery {
  readonly limit: number;
  readonly dataset?: string | undefined;
  readonly version?: string | undefined;
  readonly fate?: string | undefined;
}

export function createDatasetCalls({ call, read }: Caller) {
  const datasetPath = (name: string) => `/datasets/${encodeURIComponent(name)}`;
  const versionPath = (name: string, version: string) => `${datasetPath(name)}/versions/${encodeURIComponent(version)}`;

  return {
    listDatasets: () => read(DatasetList, "/datasets"),

    getDataset: (name: string) => read(DatasetDocument, datasetPath(name)),

    putDataset: (name: string, dataset: Readonly<Record<string, unknown>>) =>
      read(DatasetDocument, datasetPath(name), { method: "PUT", body: { dataset }, isRepeatable: true }),

    deleteDataset: async (name: string) => {
      await call(datasetPath(name), { method: "DELETE", isRepeatable: false });
    },

    listDatasetVersions: (name: string, limit: number) =>
      read(VersionList, `${datasetPath(name)}/versions?limit=${limit}`),

    getDatasetVersion: (name: string, version: string) => read(VersionDocument, versionPath(name, version)),

    /** Where the files of a version go. */
    requestDatasetUpload: (name: string, version: string) =>
      read(DatasetUploadAnswer, `${versionPath(name, version)}/uploads`, { method: "POST", isRepeatable: true }),

    runDatasetVersion: (name: string, version: string) =>
      read(RunDocument, `${versionPath(name, version)}/runs`, { method: "POST" }),

    listEvents: (query: EventQuery) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      return read(
        EventList,
        `/events?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`,
      );
    },
  };
}
