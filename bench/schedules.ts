// Every tick of a set of schedules in every time zone, 2000 to 2040, compared with what bench/schedules.py computes by other means.
// PYTHONTZPATH="" python bench/schedules.py [every n-th zone] | node bench/schedules.ts
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { z } from "zod";
import { readSchedule } from "#shared/domain/schedule/read-schedule.ts";
import { slotsAfter } from "#shared/domain/schedule/slots.ts";

const Line = z.object({
  zone: z.string(),
  changes: z.number(),
  cases: z.array(
    z.object({
      name: z.string(),
      trigger: z.record(z.string(), z.unknown()),
      after: z.number(),
      until: z.number(),
      count: z.number(),
      hash: z.string(),
    }),
  ),
});

const total = { zones: 0, changes: 0, cases: 0, ticks: 0, wrong: 0, unknown: [] as string[] };
const wrongZones = new Set<string>();
const started = performance.now();

for await (const text of createInterface({ input: process.stdin })) {
  const { zone, changes, cases } = Line.parse(JSON.parse(text));
  total.zones += 1;
  total.changes += changes;
  for (const { name, trigger, after, until, count, hash } of cases) {
    const { schedule, issues } = readSchedule({ name: "x", trigger, create_job: "azureml:x" });
    if (schedule === undefined) {
      total.unknown.push(`${zone}: ${issues[0]?.message}`);
      break;
    }
    const ticks: number[] = [];
    for (const slot of slotsAfter(schedule.trigger, after * 1000, after * 1000)) {
      if (slot > until * 1000) break;
      ticks.push(slot / 1000);
    }
    total.cases += 1;
    total.ticks += ticks.length;
    if (createHash("sha256").update(ticks.join(" ")).digest("hex") === hash) continue;
    total.wrong += 1;
    wrongZones.add(zone);
    console.log(
      `${zone}: ${name} from ${new Date(after * 1000).toISOString()}: ${ticks.length} ticks, expected ${count}`,
    );
  }
}

const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  `${total.zones} zones, ${total.changes} changes of the clock, ${total.cases} comparisons, ${total.ticks} ticks in ${seconds} s`,
);
console.log(
  `${total.wrong} comparisons differ, in ${wrongZones.size} zones; zones that Intl does not know: ${total.unknown.length}`,
);
for (const line of total.unknown) console.log(line);
process.exitCode = total.wrong === 0 ? 0 : 1;
