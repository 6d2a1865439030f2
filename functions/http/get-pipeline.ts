import { z } from "zod";
import { PipelineName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";

export const getPipeline = ({ pipelines }: App) =>
  defineRoute(
    {
      name: "getPipeline",
      method: "GET",
      path: "pipelines/{name}",
      summary: "A deployed pipeline as it is written",
      params: z.object({ name: PipelineName }),
      answer: { status: 200, description: "YAML", contentType: "application/yaml" },
    },
    async ({ params }) => ({
      status: 200,
      headers: { "content-type": "application/yaml" },
      body: await pipelines.source(params.name),
    }),
  );
