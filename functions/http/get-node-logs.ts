import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { nodeStatusFacts } from "#shared/domain/run.ts";
import type { App } from "../app.ts";
import { defineRoute } from "../route.ts";
import { NodeParams } from "./get-node.ts";

/** Bytes of one answer at most. */
const answerBytes = 4 * 1024 * 1024;

export const getNodeLogs = ({ runs, logs }: App) =>
  defineRoute(
    {
      name: "getNodeLogs",
      method: "GET",
      path: "runs/{runId}/nodes/{node}/logs",
      summary: "A node's log from a byte offset; with `wait` the answer comes when there is more",
      params: NodeParams,
      query: z.object({
        from: z.coerce.number().int().min(0).default(0),
        wait: z.coerce.number().int().min(0).max(60).default(0),
      }),
      answer: {
        status: 200,
        description:
          "Bytes from the offset; `x-mlpipe-next-offset` is where to go on, `x-mlpipe-log-complete` whether more can come",
        contentType: "text/plain; charset=utf-8",
      },
    },
    async ({ params, query, client }) => {
      const until = Date.now() + query.wait * 1000;
      for (;;) {
        // The node first: what was written before it ended is then in the size.
        const node = await runs.getNode(client, params.runId, params.node);
        const isEnded = nodeStatusFacts[node.status].isTerminal;
        const size = node.jobName === undefined ? 0 : await logs.size(node.jobName);
        if (size > query.from || isEnded || Date.now() + 500 > until) {
          const count = Math.min(answerBytes, Math.max(0, size - query.from));
          const next = query.from + count;
          const stream =
            count === 0 || node.jobName === undefined ? undefined : await logs.read(node.jobName, query.from, count);
          return {
            status: 200,
            headers: {
              "content-type": "text/plain; charset=utf-8",
              "x-mlpipe-next-offset": String(stream === undefined ? query.from : next),
              "x-mlpipe-log-complete": String(isEnded && next >= size),
            },
            body: stream ?? "",
          };
        }
        await sleep(400);
      }
    },
  );
