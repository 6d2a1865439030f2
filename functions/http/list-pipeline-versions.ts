import { z } from "zod";
import { AssetVersionList, PipelineName } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const listPipelineVersions = ({ registry }: App) =>
  defineRoute(
    {
      name: "listPipelineVersions",
      method: "GET",
      path: "pipelines/{name}/versions",
      summary: "The versions of a registered pipeline, newest first",
      params: z.object({ name: PipelineName }),
      query: z.object({ limit: z.coerce.number().int().min(1).max(5000).default(1000) }),
      answer: { status: 200, description: "The newest versions", schema: AssetVersionList },
    },
    async ({ params: { name }, query: { limit } }) => {
      const versions = await registry.pipelineVersions(name);
      if (versions.length === 0) throw new MlpipeError("NotFound", `There is no registered pipeline ${name}`);
      return json(200, { name, versions: versions.slice(0, limit) } satisfies AssetVersionList);
    },
  );
