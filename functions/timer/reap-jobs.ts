// Finds what nobody looks after any more: jobs of ours that no live node owns are cancelled, and slots whose holders have ended are
// given to the next. Both happen only when an instance was killed, purged or lost; a run cancels its own jobs.
import type { DurableClient } from "durable-functions";
import type { ListedJob } from "#shared/azure/ml.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeProgress } from "#shared/domain/node-result.ts";
import type { App } from "../app.ts";
import { findInstance, liveStatuses } from "../instances.ts";

/** Where a job is too far to need anybody. */
const ended = new Set(["Completed", "Failed", "Canceled", "CancelRequested", "Finalizing"]);

/** Days that are looked back: every time, and once a day for jobs that queue or run for long. */
const usualDays = 2;
const longDays = 60;
const longLookHour = 3;
/** A job younger than this may belong to a node whose status is not written yet. */
const graceMs = 20_000;
/** Instances asked about at once. */
const batch = 20;

export const reapJobs = ({ ml, deployment, slots, log }: App) => ({
  name: "reapJobs",
  /** Every ten minutes, beside the other timers (NCRONTAB, seconds first). */
  schedule: "30 5/10 * * * *",
  async handle(client: DurableClient, now = new Date()): Promise<void> {
    await freeDeadSlots(slots, client);
    // Two apps on one workspace must not cancel each other's jobs.
    if (deployment === undefined) return;
    const isLongLook = now.getUTCHours() === longLookHour && now.getUTCMinutes() < 10;
    const days = isLongLook ? longDays : usualDays;
    const since = new Date(now.getTime() - days * 24 * 3600 * 1000);
    let seen = 0;
    for await (const job of ml.listTaggedJobs("mlpipe.run", since)) {
      seen += 1;
      if (job.tags["mlpipe.deployment"] !== deployment || ended.has(job.status)) continue;
      if (job.createdTime === undefined || now.getTime() - job.createdTime.getTime() < graceMs) continue;
      if (await isOwned(client, job)) continue;
      log.warn({ jobName: job.name, runId: job.tags["mlpipe.run"] }, "job without a live run canceled");
      await ml.cancelJob(job.name);
    }
    log.debug({ jobs: seen }, "jobs looked through");
  },
});

/** Whether a live node still waits for this job, or may come to. */
async function isOwned(client: DurableClient, { tags, properties }: ListedJob): Promise<boolean> {
  const { "mlpipe.run": runId, "mlpipe.node": node } = tags;
  if (typeof runId !== "string" || typeof node !== "string") return true;
  const status = await findInstance(client, nodeInstanceId(runId, node));
  if (status === undefined || !liveStatuses.includes(String(status.runtimeStatus))) return false;
  const attempt = Number(properties["mlpipe.attempt"] ?? Number.NaN);
  const current = NodeProgress.safeParse(status.customStatus).data?.attempt ?? 0;
  return !(attempt < current);
}

async function freeDeadSlots(slots: App["slots"], client: DurableClient): Promise<void> {
  for (const kind of ["runs", "jobs"] as const) {
    const holders = await slots.holders(kind);
    const dead: string[] = [];
    for (let index = 0; index < holders.length; index += batch) {
      const asked = holders.slice(index, index + batch);
      const statuses = await Promise.all(asked.map((holder) => findInstance(client, holder)));
      dead.push(...asked.filter((_holder, at) => !liveStatuses.includes(String(statuses[at]?.runtimeStatus))));
    }
    if (dead.length > 0) await slots.release(kind, dead, client);
  }
}
