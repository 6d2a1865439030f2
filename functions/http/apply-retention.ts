import { RetentionReport } from "#shared/api.ts";
import type { App } from "../app.ts";
import { retain } from "../retention/retain.ts";
import { defineRoute, json } from "../route.ts";

/** A caller does not wait longer than this. */
const longestMs = 20_000;

export const applyRetention = (app: App) =>
  defineRoute(
    {
      name: "applyRetention",
      method: "POST",
      path: "retention",
      summary: "Let go now of what has aged out, as every night; `isComplete` tells whether to call again",
      answer: { status: 200, description: "What went", schema: RetentionReport },
    },
    async ({ client }) => json(200, await retain(app, client, { isDryRun: false, longestMs })),
  );
