import { PipelineList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const listPipelines = ({ pipelines, registry }: App) =>
  defineRoute(
    {
      name: "listPipelines",
      method: "GET",
      path: "pipelines",
      summary: "The pipelines that can be run by name: deployed with the app, or registered",
      answer: { status: 200, description: "Their names", schema: PipelineList },
    },
    async () => {
      const [deployed, registered] = await Promise.all([pipelines.names(), registry.pipelineNames()]);
      const list: PipelineList = {
        pipelines: [
          ...deployed.map((name) => ({ name, source: "deployed" as const })),
          ...registered
            .filter((name) => !deployed.includes(name))
            .map((name) => ({ name, source: "registered" as const })),
        ].toSorted((a, b) => a.name.localeCompare(b.name)),
      };
      return json(200, list);
    },
  );
