// A sample of bench/dataset-arrival.ts: what happens to ten thousand uploads there happens to some hundreds here.
import { afterAll, beforeAll, expect, test } from "vitest";
import { runStorm, type Storm, stormDeclaration } from "./dataset-storm.ts";
import { type DatasetWorld, startDatasetWorld } from "./dataset-world.ts";

const faults = { double: 0.2, reorder: 0.2, lose: 0.05 };
/** Versions of several files, whose lost events the collector makes up for; and of one, which only the scan can find. */
const several: Storm = { dataset: "several", versions: 40, filesPerVersion: 5, lanes: 8, faults, pauseMs: 6_000 };
const single: Storm = {
  ...several,
  dataset: "single",
  filesPerVersion: 1,
  faults: { ...faults, lose: 0.2 },
  pauseMs: 2_500,
};

let world: DatasetWorld;
beforeAll(async () => {
  world = await startDatasetWorld({ several: stormDeclaration(several), single: stormDeclaration(single) });
});
afterAll(() => world.remove());

// The one that needs the scan comes first: nobody has looked at its dataset before its events are lost.
test.each([single, several])(
  "every version of $dataset gets its one run, whatever becomes of the events",
  async (storm) => {
    const { runs, leftToScan, foundMeanwhile, eventsByFate } = await runStorm(world, storm);
    expect(runs.size).toBe(storm.versions);
    expect([...runs.values()].filter(({ length }) => length !== 1)).toEqual([]);
    expect(eventsByFate["arrival"]).toBe(storm.versions);
    expect(eventsByFate["duplicate"]).toBeGreaterThan(0);
    expect(eventsByFate["started"]).toBeLessThanOrEqual(storm.versions);
    // What events have brought in is not said to have been found.
    expect(eventsByFate["found"] ?? 0).toBeLessThanOrEqual(leftToScan + foundMeanwhile);
  },
  180_000,
);
