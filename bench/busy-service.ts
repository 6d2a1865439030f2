// Runs against a workspace that answers 30 % of the calls with 429 and Retry-After and 10 % with 500, and is down for two minutes.
//
//   node bench/busy-service.ts [runs of three nodes, default 100] [seconds of the outage, default 120]
import { runAll } from "../test/resilience/busy-service.ts";
import { startOwnStack } from "../test/resilience/own-stack.ts";

const [runs = 100, seconds = 120] = process.argv.slice(2).map(Number);
const own = await startOwnStack();
try {
  const well = await runAll(own, runs);
  const busy = await runAll(own, runs, { afterSeconds: 5, seconds });
  console.log(`in good health: ${JSON.stringify(well)}`);
  console.log(`in trouble:     ${JSON.stringify(busy)}`);
  console.log(
    `calls: ${(busy.calls / well.calls).toFixed(2)} times as many; came back too early: ${busy.tooEarly} of ${busy.told}`,
  );
  const isFine = busy.statuses["completed"] === runs && busy.tooEarly === 0 && busy.calls <= 2 * well.calls;
  if (!isFine) process.exitCode = 1;
} finally {
  await own.stop();
}
