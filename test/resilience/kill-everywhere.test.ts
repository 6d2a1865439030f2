// A sample of bench/kill-everywhere.ts, another one every time: parts are killed at moments drawn by a seed that is printed.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Part, parts, type Point } from "./crash-points.ts";
import { type Disturbance, type KillEverywhere, openKillEverywhere } from "./kill-everywhere.ts";

const seed = Number(process.env["MLPIPE_TEST_SEED"] ?? Math.floor(Math.random() * 1e9));
const random = createRandom(seed);
const drawn: Record<Part, number> = { host: 4, workspace: 3, storage: 1 };

let kills: KillEverywhere;
let counted: Record<Part, Point[]>;
beforeAll(async () => {
  console.log(`points of death drawn with MLPIPE_TEST_SEED=${seed}`);
  kills = await openKillEverywhere();
  counted = await kills.count();
});
afterAll(async () => {
  const left = await kills.close();
  if (left.length > 0) throw new Error(`left undone in the durable store: ${left.join("; ")}`);
});

/** A run cut short by its own end passes fewer points than were counted: drawn from those that all runs pass. */
const draw = (part: Part) => 1 + Math.floor(random() * 0.8 * counted[part].length);

async function disturb(disturbance: Disturbance) {
  const { tookMs, deaths, differences, attempts } = await kills.run(disturbance);
  console.log(`${tookMs.toFixed(0)} ms: ${deaths.map(({ part, what }) => `${part} ${what}`).join(", ")}`);
  return { differences, deaths: deaths.length, attempts };
}

for (const part of parts) {
  test(`a run ends as if nothing had been, wherever the ${part} is killed`, async () => {
    for (let i = 0; i < drawn[part]; i += 1) {
      const run = await disturb({ arms: { [part]: { at: draw(part) } } });
      expect(run).toEqual({ differences: [], deaths: 1, attempts: 5 });
    }
  });
}

test("a run ends as if nothing had been when the storage is killed with Azurite", async () => {
  const run = await disturb({ arms: { storage: { at: draw("storage"), withChildren: true } } });
  expect(run).toEqual({ differences: [], deaths: 1, attempts: 5 });
});

test("a run ends as if nothing had been when the host is killed again as soon as it is back", async () => {
  const next = { nonce: "second", at: 1 + Math.floor(random() * 20) };
  const run = await disturb({ arms: { host: { at: draw("host"), next } } });
  expect(run).toEqual({ differences: [], deaths: 2, attempts: 5 });
});

test("a run ends as if nothing had been when host and workspace are killed at once", async () => {
  const run = await disturb({ arms: { host: { at: draw("host") } }, killsToo: "workspace" });
  expect(run).toEqual({ differences: [], deaths: 1, attempts: 5 });
});

test("a run whose job is killed tries again and ends with the right result", async () => {
  expect((await disturb({ killsJob: true })).differences).toEqual([]);
});

/** mulberry32 */
function createRandom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
