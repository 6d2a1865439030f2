import { z } from "zod";
import { AssetVersion, PipelineName } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

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
      if ((await pipelines.names()).includes(name)) {
        return { status: 200, headers: { "content-type": "application/yaml" }, body: await pipelines.source(name) };
      }
      const [found, versions] = await Promise.all([registry.pipeline(name, version), registry.pipelineVersions(name)]);
      if (found === undefined)
        throw new MlpipeError(
          "NotFound",
          `There is no pipeline ${name}${version === undefined ? "" : ` of version ${version}`}`,
        );
      return json(200, { ...found, versions: versions.map((candidate) => candidate.version) });
    },
  );
