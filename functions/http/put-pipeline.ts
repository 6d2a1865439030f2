import { z } from "zod";
import { AssetVersion, PipelineName, PipelineVersion, RegisterRequest } from "#shared/api.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { withoutLocalFiles } from "../inline-pipeline.ts";
import { defineRoute, json } from "../route.ts";

export const putPipeline = ({ registry, pipelines, startRun }: App) =>
  defineRoute(
    {
      name: "putPipeline",
      method: "PUT",
      path: "pipelines/{name}",
      summary: "Register a pipeline by name; the same content twice is one version",
      params: z.object({ name: PipelineName }),
      query: z.object({ version: AssetVersion.optional() }),
      body: RegisterRequest,
      answer: { status: 200, description: "What is registered", schema: PipelineVersion },
    },
    async ({ params, query, body }) => {
      if ((await pipelines.names()).includes(params.name)) {
        throw new MlpipeError(
          "Conflict",
          `Pipeline ${params.name} is deployed with the app. Register this one under another name.`,
        );
      }
      const document = withoutLocalFiles(await parsePipeline(body.document, {}));
      await startRun.check(document);
      const { name, version, createdTime } = await registry.putPipeline(params.name, query.version, document);
      return json(200, { name, version, createdTime });
    },
  );
