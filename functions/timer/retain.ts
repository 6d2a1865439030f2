import type { DurableClient } from "durable-functions";
import type { App } from "../app.ts";
import { retain as retainOnce } from "../retention/retain.ts";

export const retain = (app: App) => ({
  name: "retain",
  /** At night, a few times over for what one pass does not get through (NCRONTAB, seconds first). */
  schedule: "0 17 1-5 * * *",
  async handle(client: DurableClient): Promise<void> {
    const { histories, cacheEntries, outputs, isComplete } = await retainOnce(app, client, { isDryRun: false });
    const [runs, removed, kept] = [histories.runs.length, outputs.removed.length, outputs.kept.length];
    app.log.info({ runs, cacheEntries, outputsRemoved: removed, outputsKept: kept, isComplete }, "retention done");
  },
});
