// The routes of registered models, and of the answers that runs ask for.
import { type ApproveRequest, ModelDocument, ModelList, ModelVersionDocument, RunDocument } from "#shared/api.ts";
import type { Caller } from "./call-api.ts";
import { readPages } from "./read-pages.ts";

/** Seconds the app may take until a run shows that it has the answer. */
const answerSeconds = 10;

export function createModelCalls({ read }: Caller) {
  const modelPath = (name: string) => `/models/${encodeURIComponent(name)}`;

  return {
    listModels: () =>
      readPages(async (query) => {
        const { models, nextLink } = await read(ModelList, `/models${query}`);
        return { items: models, nextLink };
      }),

    getModel: (name: string) => read(ModelDocument, modelPath(name)),

    getModelVersion: (name: string, version: string) =>
      read(ModelVersionDocument, `${modelPath(name)}/versions/${encodeURIComponent(version)}`),

    /** Sent twice, it is one answer. */
    approveRun: (runId: string, body: ApproveRequest) =>
      read(RunDocument, `/runs/${encodeURIComponent(runId)}/approve`, {
        method: "POST",
        body,
        waitSeconds: answerSeconds,
        isRepeatable: true,
      }),
  };
}
