import { z } from "zod";
import { DatasetName, VersionDocument } from "#shared/api.ts";
import { isVersion } from "#shared/domain/dataset/place.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { collectorStatus } from "../wake-dataset.ts";

export const VersionParams = z.object({
  name: DatasetName,
  version: z.string().refine(isVersion, "one segment of a path"),
});

/** Files that one answer lists. */
const listedFiles = 1_000;

export const getDatasetVersion = ({ datasets, versions }: App) =>
  defineRoute(
    {
      name: "getDatasetVersion",
      method: "GET",
      path: "datasets/{name}/versions/{version}",
      summary: "A version: what has arrived, which run was given which files, and what the next one waits for",
      params: VersionParams,
      answer: { status: 200, description: "The version", schema: VersionDocument },
    },
    async ({ params: { name, version }, client }) => {
      const [stored, waiting] = await Promise.all([
        versions.read(name, version),
        collectorStatus(client, { dataset: name, version }),
      ]);
      const dataset = await datasets.find(name);
      const uri = stored?.record.uri ?? (dataset === undefined ? undefined : await versions.uriOf(dataset, version));
      if (uri === undefined || (stored === undefined && waiting === undefined)) {
        throw new MlpipeError("NotFound", `Nothing has arrived as version ${version} of dataset ${name}`);
      }
      const arrivals = stored?.record.arrivals ?? [];
      const last = arrivals.at(-1);
      const files = last === undefined ? [] : await versions.manifest(name, version, last.number);
      return json(200, {
        dataset: name,
        version,
        uri,
        arrivals,
        ...(waiting === undefined ? {} : { waiting }),
        files: files.slice(0, listedFiles),
      } satisfies VersionDocument);
    },
  );
