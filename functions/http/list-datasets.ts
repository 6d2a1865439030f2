import { DatasetList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { toDatasetDocument } from "../dataset-documents.ts";
import { defineRoute, json } from "../route.ts";

export const listDatasets = ({ datasets }: App) =>
  defineRoute(
    {
      name: "listDatasets",
      method: "GET",
      path: "datasets",
      summary: "Every dataset, those with a mistake among them",
      answer: { status: 200, description: "Deployed ones first", schema: DatasetList },
    },
    async () => json(200, { datasets: (await datasets.all(0)).map(toDatasetDocument) } satisfies DatasetList),
  );
