// Azure ML says that a run of its own completed or failed. A second way to wake a node up, for jobs that died before they
// could write their end marker. Cancelled jobs raise nothing: the back-stop timer sees those.
import type { EventGridEvent } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { z } from "zod";
import type { App } from "../app.ts";
import { wakeNode } from "./output-written.ts";

const RunEvent = z.object({
  eventType: z.enum([
    "Microsoft.MachineLearningServices.RunCompleted",
    "Microsoft.MachineLearningServices.RunStatusChanged",
  ]),
  data: z.looseObject({ runId: z.string() }),
});

export const jobChanged = ({ ml, log }: App) => ({
  name: "jobChanged",
  async handle(event: EventGridEvent, client: DurableClient): Promise<void> {
    const parsed = RunEvent.safeParse(event);
    if (!parsed.success) return;
    const jobName = parsed.data.data.runId;
    // Whose job it is, the job itself says; the event is not believed.
    const job = await ml.getJob(jobName);
    const { "mlpipe.run": runId, "mlpipe.node": node } = job?.properties.tags ?? {};
    if (typeof runId !== "string" || typeof node !== "string") return;
    await wakeNode(client, runId, node);
    log.debug({ runId, node, jobName }, "job event seen");
  },
});
