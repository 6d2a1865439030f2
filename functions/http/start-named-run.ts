import { z } from "zod";
import { PipelineName, RunDocument, StartRunRequest } from "#shared/api.ts";
import type { App } from "../app.ts";
import { loadNamedPipeline } from "../named-pipeline.ts";
import { defineRoute } from "../route.ts";
import { idempotencyHeader, runAccepted, readIdempotencyKey } from "./run-accepted.ts";

export const startNamedRun = ({ pipelines, registry, startRun, runs }: App) =>
  defineRoute(
    {
      name: "startNamedRun",
      method: "POST",
      path: "pipelines/{name}/runs",
      summary: "Start a run of a deployed or registered pipeline",
      params: z.object({ name: PipelineName }),
      body: StartRunRequest,
      headers: idempotencyHeader,
      answer: {
        status: 202,
        description: "The run has started; poll `Location`",
        schema: RunDocument,
      },
    },
    async ({ params, body, headers, client, origin }) => {
      const key = readIdempotencyKey(headers);
      const { version, ...options } = body;
      const pipeline = await loadNamedPipeline({ pipelines, registry }, params.name, version);
      const runId = await startRun.start(client, { ...pipeline, ...options }, key);
      return runAccepted(await runs.getTagged(client, runId), origin);
    },
  );
