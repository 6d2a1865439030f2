import { z } from "zod";
import { DatasetDocument, DatasetName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { toDatasetDocument } from "../dataset-documents.ts";
import { defineRoute, json } from "../route.ts";

export const getDataset = ({ datasets }: App) =>
  defineRoute(
    {
      name: "getDataset",
      method: "GET",
      path: "datasets/{name}",
      summary: "One dataset as it is declared",
      params: z.object({ name: DatasetName }),
      answer: { status: 200, description: "The dataset", schema: DatasetDocument },
    },
    async ({ params }) => json(200, toDatasetDocument(await datasets.get(params.name))),
  );
