// Azure ML says that a run of its own completed or failed. A second way to wake a node up, for jobs that died before they
// could write their end marker. Cancelled jobs raise nothing: the back-stop timer sees those.
import type { EventGridEvent } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { z } from "zod";
import { parseJobName } from "#shared/domain/job-name.ts";
import type { App } from "../app.ts";
import { wakeNode } from "./output-written.ts";

const RunEvent = z.object({
  eventType: z.enum([
    "Microsoft.MachineLearningServices.RunCompleted",
    "Microsoft.MachineLearningServices.RunStatusChanged",
  ]),
  data: z.looseObject({ runId: z.string() }),
});

export const jobChanged = ({ log }: App) => ({
  name: "jobChanged",
  async handle(event: EventGridEvent, client: DurableClient): Promise<void> {
    const parsed = RunEvent.safeParse(event);
    if (!parsed.success) return;
    const jobName = parsed.data.data.runId;
    // The name says whose job it is. The event is not believed: a node that is woken in vain asks its job and sleeps on.
    const place = parseJobName(jobName);
    if (place === undefined) return;
    const { runId, node } = place;
    await wakeNode(client, runId, node);
    log.debug({ runId, node, jobName }, "job event seen");
  },
});
