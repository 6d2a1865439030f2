// Runs one orchestration on a state file in a process of its own, which a test kills. Arguments: a folder, and JSON.
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { df, startHarness } from "./harness.ts";

const [folder = "", settings = "{}"] = process.argv.slice(2);
const { embedded, dieIn } = JSON.parse(settings) as { embedded?: Record<string, unknown>; dieIn?: string };

/** Kills this process the first time that any process on this folder gets here. */
function dieOnce(place: string): void {
  const marker = join(folder, `died-in-${place}`);
  if (dieIn !== place || existsSync(marker)) return;
  writeFileSync(marker, "");
  process.kill(process.pid, "SIGKILL");
}

df.app.activity("step", {
  handler: async (name: string) => {
    appendFileSync(join(folder, "steps"), `${name}\n`);
    if (name === "b") dieOnce("activity");
    await new Promise((resolve) => setImmediate(resolve));
    return name;
  },
});
df.app.orchestration("inner", function* (context) {
  const name: string = yield context.df.callActivity("step", context.df.getInput());
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 3));
  return `${name}!`;
});
df.app.orchestration("outer", function* (context) {
  const a: string = yield context.df.callActivity("step", "a");
  dieOnce("episode");
  const event: string = yield context.df.waitForExternalEvent("go");
  const inner: string[] = yield context.df.Task.all(
    ["b", "c"].map((name) => context.df.callSubOrchestrator("inner", name, `outer:${name}`)),
  );
  context.df.setCustomStatus({ inner });
  const d: string = yield context.df.callActivity("step", "d");
  return [a, event, ...inner, d];
});

const { client, until, stop } = await startHarness({ stateFile: join(folder, "state.db"), embedded: embedded ?? {} });
const known = (await client.getStatusAll()).map(({ instanceId }) => instanceId);
if (!known.includes("outer")) await client.startNew("outer", { instanceId: "outer" });
if (!existsSync(join(folder, "raised"))) {
  await client.raiseEvent("outer", "go", "event");
  writeFileSync(join(folder, "raised"), "");
}
const { output, customStatus } = await until("outer");
process.stdout.write(JSON.stringify({ output, customStatus }));
await stop();
