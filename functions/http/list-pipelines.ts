import { z } from "zod";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

const PipelineList = z.object({ pipelines: z.array(z.object({ name: z.string() })) });

export const listPipelines = ({ pipelines }: App) =>
  defineRoute(
    {
      name: "listPipelines",
      method: "GET",
      path: "pipelines",
      summary: "The pipelines deployed with the app",
      answer: { status: 200, description: "Their names", schema: PipelineList },
    },
    async () => json(200, { pipelines: (await pipelines.names()).map((name) => ({ name })) }),
  );
