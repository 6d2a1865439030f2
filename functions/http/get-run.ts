import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { RunDocument, RunId } from "#shared/api.ts";
import { runStatusFacts } from "#shared/domain/run.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

/** Milliseconds between looks: quick at first, since a person who starts a run looks at once. */
const firstPauseMs = 50;
const longestPauseMs = 1_000;

export const getRun = ({ runs }: App) =>
  defineRoute(
    {
      name: "getRun",
      method: "GET",
      path: "runs/{runId}",
      summary: "One run; with `wait` and `If-None-Match` the answer comes when the run changes",
      params: z.object({ runId: RunId }),
      query: z.object({ wait: z.coerce.number().int().min(0).max(60).default(0) }),
      headers: { "If-None-Match": "The ETag of the document you have" },
      answer: {
        status: 200,
        description: "The run; 304 when it is still the one you have",
        schema: RunDocument,
      },
    },
    async ({ params, query, headers, client }) => {
      const until = Date.now() + query.wait * 1000;
      const known = headers.get("if-none-match");
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
        const { document, etag } = await runs.getTagged(client, params.runId);
        const hasChanged = known === null ? runStatusFacts[document.status].isTerminal : known !== etag;
        if (hasChanged || Date.now() + pauseMs > until) {
          return known === etag ? { status: 304, headers: { etag } } : json(200, document, { etag });
        }
        await sleep(pauseMs);
      }
    },
  );
