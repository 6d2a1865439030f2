import { z } from "zod";
import { AssetVersion, PipelineName } from "#shared/api.ts";
import type { App } from "../app.ts";
import { missingPipeline } from "../named-pipeline.ts";
import { defineRoute, json } from "../route.ts";

/** Versions that are named with a pipeline. */
const namedVersions = 100;

export const getPipeline = ({ pipelines, registry }: App) =>
  defineRoute(
    {
      name: "getPipeline",
      method: "GET",
      path: "pipelines/{name}",
      summary: "A deployed pipeline as it is written, or a registered one with the names of its versions",
      params: z.object({ name: PipelineName }),
      query: z.object({ version: AssetVersion.optional() }),
      answer: {
        status: 200,
        description: "YAML for a deployed pipeline, JSON for a registered one",
        contentType: "application/yaml",
      },
    },
    async ({ params: { name }, query: { version } }) => {
      if (version === undefined && (await pipelines.names()).includes(name)) {
        return { status: 200, headers: { "content-type": "application/yaml" }, body: await pipelines.source(name) };
      }
      const [found, versions] = await Promise.all([registry.pipeline(name, version), registry.pipelineVersions(name)]);
      if (found === undefined) throw await missingPipeline({ pipelines, registry }, name, version);
      const known = versions.slice(0, namedVersions).map((candidate) => candidate.version);
      return json(200, { ...found, versions: known });
    },
  );
