// What the durable extension adds to an orchestration, with functions that do nothing. Run: node bench/durable-hop.ts
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Harness, df, startHarness } from "../test/local/host/durable/harness.ts";

let onActivity: (() => void) | undefined;

df.app.activity("nothing", { handler: () => onActivity?.() });
df.app.orchestration("chain", function* (context) {
  for (let left: number = context.df.getInput(); left > 0; left--) yield context.df.callActivity("nothing");
});
df.app.orchestration("pingPong", function* (context) {
  for (let left: number = context.df.getInput(); left > 0; left--) {
    yield context.df.waitForExternalEvent("ping");
    yield context.df.callActivity("nothing");
  }
});
df.app.orchestration("leaf", function* (context) {
  yield context.df.callActivity("nothing");
});
df.app.orchestration("nested", function* (context) {
  for (let left: number = context.df.getInput(); left > 0; left--) yield context.df.callSubOrchestrator("leaf");
});
df.app.orchestration("fanOut", function* (context) {
  const count: number = context.df.getInput();
  yield context.df.Task.all(Array.from({ length: count }, () => context.df.callSubOrchestrator("leaf")));
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function finish({ client }: Harness, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    while ((await client.getStatus(id)).runtimeStatus !== "Completed")
      await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function run(harness: Harness, name: string, input: number): Promise<number> {
  return timed(async () => finish(harness, [await harness.client.startNew(name, { input })]));
}

/** Milliseconds from the call of raiseEvent to the start of the activity behind it. */
async function pingPong({ client }: Harness, rounds: number): Promise<number[]> {
  const id = await client.startNew("pingPong", { input: rounds });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    onActivity = resolve;
    times.push(
      await timed(async () => {
        await client.raiseEvent(id, "ping", null);
        await promise;
      }),
    );
  }
  onActivity = undefined;
  return times.toSorted((a, b) => a - b);
}

const folder = mkdtempSync(join(tmpdir(), "durable-hop-"));
const harness = await startHarness({ stateFile: join(folder, "state.db") });
const print = (what: string, value: string) => process.stdout.write(`${what.padEnd(58)} ${value}\n`);
const rss = () => `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`;
const per = (total: number, count: number) => `${(total / count).toFixed(2)} ms each, ${total.toFixed(0)} ms in all`;

await run(harness, "chain", 30);
print("20 activities in a row (history up to 80 events)", per(await run(harness, "chain", 20), 20));
print("200 activities in a row (history up to 800 events)", per(await run(harness, "chain", 200), 200));
print("20 children in a row, one activity each", per(await run(harness, "nested", 20), 20));
const times = await pingPong(harness, 50);
print(
  "event raised over HTTP to activity started, median of 50",
  `${times[25]?.toFixed(2)} ms, worst ${times.at(-1)?.toFixed(2)} ms`,
);
print("memory before the large ones", rss());
print("1000 children of one parent, one activity each", per(await run(harness, "fanOut", 1000), 1000));
print("memory after", rss());
const many = await timed(async () => {
  const ids = await Promise.all(Array.from({ length: 1000 }, () => harness.client.startNew("nested", { input: 2 })));
  await finish(harness, ids);
});
print("3000 instances at once (1000 parents of 2 children)", per(many, 3000));
print("memory after", rss());
await harness.stop();
rmSync(folder, { recursive: true });
