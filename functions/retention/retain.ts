// Lets go of what the policy no longer keeps: histories first, then what makes nodes reusable, then outputs that nothing stands on.
import type { DurableClient } from "durable-functions";
import type { RetentionReport } from "#shared/domain/retention.ts";
import type { App } from "../app.ts";
import { ageCache } from "./age-cache.ts";
import { ageHistories } from "./age-histories.ts";
import { ageOutputs } from "./age-outputs.ts";
import type { Pass } from "./pass.ts";

const dayMs = 86_400_000;

/** A function on the consumption plan may run for five minutes. */
const longestPassMs = 4 * 60_000;

type Needed = Pick<App, "runs" | "archive" | "records" | "blobs" | "memory" | "registeredPlaces" | "retention" | "log">;

export interface RetainOptions {
  readonly isDryRun: boolean;
  /** Milliseconds. */
  readonly now?: number;
  readonly longestMs?: number;
}

export async function retain(
  app: Needed,
  client: DurableClient,
  { isDryRun, now = Date.now(), longestMs = longestPassMs }: RetainOptions,
): Promise<RetentionReport> {
  const { historyDays, cacheDays, outputDays } = app.retention;
  const started = Date.now();
  const isOver = () => Date.now() - started > longestMs;
  const pass: Pass = { isDryRun, time: new Date(now).toISOString(), log: app.log, isOver };
  const { archive, runs, records, blobs, memory, registeredPlaces: registered } = app;

  const histories = await ageHistories({ client, runs, archive }, now - historyDays * dayMs, pass);
  const cacheEntries = await ageCache({ records, blobs }, now - cacheDays * dayMs, pass);
  const outputs =
    outputDays === undefined
      ? { removed: [], kept: [] }
      : await ageOutputs({ archive, blobs, memory, registered }, now - outputDays * dayMs, pass);
  return { policy: app.retention, isDryRun, isComplete: !isOver(), histories, cacheEntries, outputs };
}
