import { RunDocument } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";
import { VersionParams } from "./get-dataset-version.ts";
import { runAccepted } from "./run-accepted.ts";

export const startDatasetRun = ({ arrivals, runs }: App) =>
  defineRoute(
    {
      name: "startDatasetRun",
      method: "POST",
      path: "datasets/{name}/versions/{version}/runs",
      summary: "Start a run of a version as it lies there now, whatever its rule says",
      params: VersionParams,
      answer: { status: 202, description: "The run has started; poll `Location`", schema: RunDocument },
    },
    async ({ params: { name, version }, client, origin }) => {
      const runId = await arrivals.startNow(client, { dataset: name, version });
      return runAccepted(await runs.getTagged(client, runId), origin);
    },
  );
