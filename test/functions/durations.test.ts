import { expect, test } from "vitest";
import { createDurations } from "#functions/cost/durations.ts";
import type { RecordEntry } from "#shared/azure/records.ts";

function inMemory() {
  const blobs = new Map<string, RecordEntry>();
  return {
    blobs,
    records: {
      async replace(path: string, _text: string, _etag: string | undefined, metadata: Record<string, string> = {}) {
        if (blobs.has(path)) return false;
        blobs.set(path, { path, metadata, lastModified: new Date(), version: "1" });
        return true;
      },
      async page(prefix: string, limit: number, continuation = "0") {
        const all = [...blobs.values()].filter(({ path }) => path.startsWith(prefix));
        const sorted = all.toSorted((a, b) => (a.path < b.path ? -1 : 1));
        const end = Number(continuation) + limit;
        return {
          entries: sorted.slice(Number(continuation), end),
          ...(end < sorted.length ? { continuation: String(end) } : {}),
        };
      },
    },
  };
}

const time = (second: number) => new Date(Date.parse("2026-01-05T10:00:00.000Z") + 1000 * second).toISOString();
const duration = (machine: number) => ({ component: "träin", size: "Standard_D4s_v5", queued: 1.5, machine });

test("durations are told newest first, twenty of each node, whatever is told twice", async () => {
  const { records, blobs } = inMemory();
  const durations = createDurations({ records });
  for (let second = 0; second < 30; second += 1) {
    await durations.note("my pipe/line", "outer.train", `job-${second}`, time(second), duration(second));
    await durations.note("my pipe/line", "outer.train", `job-${second}`, time(second), duration(second));
  }
  await durations.note("my pipe", "outer.train", "other", time(99), duration(99));
  await durations.note("my pipe/line", "score", "j", time(0), {
    component: "c",
    size: undefined,
    queued: 0,
    machine: 2,
    preparing: 1,
  });
  expect(blobs.size).toBe(32);
  expect([...blobs.values()].every(({ metadata }) => /^[\x20-\x7e]*$/.test(JSON.stringify(metadata)))).toBe(true);

  const found = await durations.of("my pipe/line");
  expect(found.get("outer.train")?.map(({ machine }) => machine)).toEqual(
    Array.from({ length: 20 }, (_, index) => 29 - index),
  );
  expect(found.get("outer.train")?.[0]).toEqual(duration(29));
  expect(found.get("score")).toEqual([{ component: "c", size: undefined, queued: 0, machine: 2, preparing: 1 }]);
  expect(await durations.of("unknown")).toEqual(new Map());
});
