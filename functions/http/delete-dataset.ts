import { z } from "zod";
import { DatasetName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";

export const deleteDataset = ({ datasets, log }: App) =>
  defineRoute(
    {
      name: "deleteDataset",
      method: "DELETE",
      path: "datasets/{name}",
      summary: "Forget a dataset; its data, its runs and the record of them stay",
      params: z.object({ name: DatasetName }),
      answer: { status: 204, description: "It is gone" },
    },
    async ({ params }) => {
      await datasets.remove(params.name);
      log.info({ dataset: params.name }, "dataset deleted");
      return { status: 204 };
    },
  );
