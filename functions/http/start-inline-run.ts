import { RunDocument, StartInlineRunRequest } from "#shared/api.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import type { App } from "../app.ts";
import { withoutLocalFiles } from "../inline-pipeline.ts";
import { defineRoute } from "../route.ts";
import { idempotencyHeader, readIdempotencyKey, runAccepted } from "./run-accepted.ts";

export const startInlineRun = ({ startRun, runs }: App) =>
  defineRoute(
    {
      name: "startInlineRun",
      method: "POST",
      path: "runs",
      summary:
        "Start a run of a pipeline that comes with the request, as JSON or (content-type application/yaml) as YAML",
      body: StartInlineRunRequest,
      headers: idempotencyHeader,
      answer: {
        status: 202,
        description: "The run has started; poll `Location`",
        schema: RunDocument,
      },
    },
    async ({ body, headers, client, origin }) => {
      const { pipeline, ...options } = body;
      const key = readIdempotencyKey(headers);
      const document = withoutLocalFiles(await parsePipeline(pipeline, {}));
      const runId = await startRun.start(client, { document, ...options }, key);
      return runAccepted(await runs.getTagged(client, runId), origin);
    },
  );
