import { PageOfNames, PipelineList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { pageByName } from "../page-by-name.ts";

export const listPipelines = ({ pipelines, registry }: App) =>
  defineRoute(
    {
      name: "listPipelines",
      method: "GET",
      path: "pipelines",
      summary: "The pipelines that can be run by name: deployed with the app, or registered",
      query: PageOfNames,
      answer: { status: 200, description: "Their names", schema: PipelineList },
    },
    async ({ query, origin }) => {
      const [deployed, registered] = await Promise.all([pipelines.names(), registry.pipelines()]);
      const all: PipelineList["pipelines"] = [
        ...deployed.map((name) => ({ name, source: "deployed" as const })),
        ...registered
          .filter(({ name }) => !deployed.includes(name))
          .map(({ name, latestVersion }) => ({ name, source: "registered" as const, latestVersion })),
      ];
      const sorted = all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const { page, nextLink } = pageByName(sorted, query, `${origin}/api/pipelines`);
      return json(200, { pipelines: page, ...(nextLink === undefined ? {} : { nextLink }) } satisfies PipelineList);
    },
  );
