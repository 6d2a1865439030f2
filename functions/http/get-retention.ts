import { RetentionReport } from "#shared/api.ts";
import type { App } from "../app.ts";
import { retain } from "../retention/retain.ts";
import { defineRoute, json } from "../route.ts";

/** A caller does not wait longer than this. */
const longestMs = 20_000;

export const getRetention = (app: App) =>
  defineRoute(
    {
      name: "getRetention",
      method: "GET",
      path: "retention",
      summary: "What is kept for how long, and what would go now; removes nothing",
      answer: { status: 200, description: "The policy and what has aged out", schema: RetentionReport },
    },
    async ({ client }) => json(200, await retain(app, client, { isDryRun: true, longestMs })),
  );
