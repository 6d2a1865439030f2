// Heals what events did not tell: those that were lost, and all of the time in which nobody listened. Compares what lies in the
// datasets' folders with what their records say has been dealt with; old entries of the event record go as well.
import type { DurableClient } from "durable-functions";
import { fingerprintOf } from "#shared/domain/dataset/fingerprint.ts";
import { dataFiles } from "#shared/domain/dataset/judge.ts";
import type { App } from "../app.ts";
import type { KnownDataset } from "../datasets.ts";
import { wakeDataset } from "../wake-dataset.ts";

const dayMs = 86_400_000;

export const reconcileDatasets = ({ datasets, versions, events, eventDays, log }: App) => {
  async function scan(
    client: DurableClient,
    dataset: NonNullable<KnownDataset["dataset"]>,
    source: KnownDataset["source"],
  ): Promise<number> {
    const [since, settled] = await Promise.all([datasets.since(dataset.name, source), versions.settled(dataset.name)]);
    let found = 0;
    for await (const { version, files } of versions.versions(dataset)) {
      const isOld = files.every(({ modified }) => modified < Math.floor(since / 1000) * 1000);
      // What was there before the dataset was is no arrival, unless somebody has started it.
      if (isOld && !settled.has(version)) continue;
      const fingerprint = await fingerprintOf(files);
      if (settled.get(version) === fingerprint) continue;
      const counted = dataFiles(dataset, files);
      if (counted.length === 0 && !files.some(({ path }) => path === dataset.ready)) continue;
      // It may have arrived since the scan began; what has come after that is the next scan's.
      const now = await versions.settledNow(dataset.name, version);
      if (now === fingerprint || now !== settled.get(version)) continue;
      if (!(await wakeDataset(client, { dataset: dataset.name, version }, true))) continue;
      found += 1;
      const time = new Date().toISOString();
      await events.note({ kind: "found", time, dataset: dataset.name, version, files: counted.length });
    }
    return found;
  }

  return {
    name: "reconcileDatasets",
    /** Every five minutes (NCRONTAB, seconds first). */
    schedule: "30 */5 * * * *",
    async handle(client: DurableClient): Promise<void> {
      for (const { name, dataset, source } of await datasets.all()) {
        if (dataset === undefined) continue;
        try {
          const found = await scan(client, dataset, source);
          if (found > 0)
            log.info({ dataset: name, versions: found }, "dataset scan found uploads that no event told of");
        } catch (error) {
          // One store that does not answer must not keep the others waiting.
          log.warn({ dataset: name, error }, "dataset scan failed");
        }
      }
      const removed = await events.prune(Date.now() - eventDays * dayMs);
      if (removed > 0) log.info({ removed }, "old events dropped");
    },
  };
};
