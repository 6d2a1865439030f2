// Kills each part of a stack at every durable write and every outside call of a four-node run, and at other bad moments: each run
// has to end as the one that nobody disturbed. Prints what recovery costs.
//
//   node bench/kill-everywhere.ts [every n-th point, 1 when not said] [parts, host,workspace,storage when not said]
//
// VERBOSE=1 tells of every run; otherwise only of those that came out wrong, or late by more than 1.5 s.
import { loadavg } from "node:os";
import { type Death, type Disturbance, type Disturbed, openKillEverywhere } from "#test/resilience/kill-everywhere.ts";
import { type Part, parts } from "#test/resilience/crash-points.ts";

const stride = Number(process.argv[2] ?? 1);
const chosen = (process.argv[3]?.split(",") ?? [...parts]) as Part[];
const kills = await openKillEverywhere();
const undisturbed: number[] = [];
let wrong = 0;

try {
  const counted = await kills.count();
  for (const part of parts) console.log(`${part}: ${counted[part].length} points; ${summary(counted[part])}`);
  for (let i = 0; i < 5; i += 1) undisturbed.push((await kills.run()).tookMs);
  console.log(`undisturbed: median ${at(undisturbed, 0.5)} ms, max ${at(undisturbed, 1)} ms`);
  for (const part of chosen) {
    const points = everyNth(counted[part].length);
    await killAll(part, points, (k) => ({ arms: { [part]: { at: k } } }));
  }
  const few = everyNth(counted.storage.length, 5);
  const hosts = everyNth(counted.host.length, 12);
  await killAll("storage with Azurite", few, (k) => ({ arms: { storage: { at: k, withChildren: true } } }));
  await killAll("host, and again as soon as it is back", hosts, (k) => ({
    arms: { host: { at: k, next: { nonce: "again", at: 1 + (k % 25) } } },
  }));
  await killAll("host and workspace at once", hosts, (k) => ({ arms: { host: { at: k } }, killsToo: "workspace" }));
  await killAll("host and storage at once", hosts, (k) => ({ arms: { host: { at: k } }, killsToo: "storage" }));
  await killAll("a job, all its processes", everyNth(20, 1), () => ({ killsJob: true }));
} finally {
  const left = await kills.close();
  console.log(left.length === 0 ? "nothing left undone" : `left undone: ${left.join("; ")}`);
  console.log(wrong === 0 ? "every run ended as the undisturbed one" : `${wrong} runs came out otherwise`);
  process.exitCode = wrong === 0 && left.length === 0 ? 0 : 1;
}

/** 1, 1 + n, 1 + 2n ... up to `count`. */
function everyNth(count: number, sparser = 1): number[] {
  return Array.from({ length: Math.ceil(count / (stride * sparser)) }, (_, index) => 1 + index * stride * sparser);
}

async function killAll(
  what: string,
  points: readonly number[],
  toDisturbance: (k: number) => Disturbance,
): Promise<void> {
  const all: Disturbed[] = [];
  for (const k of points) {
    const one = await kills.run(toDisturbance(k));
    all.push(one);
    const deaths = one.deaths.map((death) => `${death.part} ${death.what}, ${costOf(death)}`);
    const isSlow = one.tookMs > at(undisturbed, 0.5) + 1500;
    if (one.differences.length > 0 || isSlow || process.env["VERBOSE"] !== undefined)
      console.log(`${what} ${k}: ${Math.round(one.tookMs)} ms; ${[...deaths, ...one.differences].join("\n  ")}`);
    wrong += one.differences.length > 0 ? 1 : 0;
  }
  tell(what, all);
}

function costOf({ servingMs, nextStepMs }: Death): string {
  return `serving after ${Math.round(servingMs)} ms, next step after ${Math.round(nextStepMs)} ms`;
}

function tell(what: string, all: readonly Disturbed[]): void {
  const deaths = all.flatMap((one) => one.deaths);
  const serving = deaths.map(({ servingMs }) => servingMs).filter(Number.isFinite);
  const steps = deaths.map(({ nextStepMs }) => nextStepMs).filter(Number.isFinite);
  const late = all.map(({ tookMs }) => tookMs - at(undisturbed, 0.5));
  const row = (values: number[]) => `median ${at(values, 0.5)}, p90 ${at(values, 0.9)}, max ${at(values, 1)} ms`;
  console.log(`${what}: ${all.length} runs, ${deaths.length} deaths (load ${loadavg()[0]?.toFixed(1)})`);
  console.log(`  death to serving   ${row(serving)}`);
  console.log(`  death to next step ${row(steps)}`);
  console.log(`  the run took longer by ${row(late)}`);
}

function summary(passed: readonly { what: string }[]): string {
  const groups = Map.groupBy(passed, ({ what }) =>
    what
      .split(" ")
      .slice(1, what.includes("commit") ? 3 : 2)
      .join(" "),
  );
  return [...groups].map(([name, list]) => `${list.length} ${name}`).join(", ");
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
}
