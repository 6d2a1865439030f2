// 1,000 simulated runs with caps: none may cost more than its cap and a minute of what it runs on, and none may be cut although
// it would have fitted. Node: node bench/cost-cap.ts [runs] [first seed]
import { loadavg } from "node:os";
import { simulateRun, type SimulatedRun } from "#test/cost/simulated-run.ts";

const [count = 1_000, first = 1] = process.argv.slice(2).map(Number);
const begun = performance.now();
const runs: (SimulatedRun & { seed: number })[] = [];
for (let seed = first; seed < first + count; seed += 1) runs.push({ seed, ...(await simulateRun(seed)) });
const seconds = (performance.now() - begun) / 1000;

const over = runs.filter(({ cost, cap }) => cost > cap).toSorted((a, b) => b.cost - b.cap - (a.cost - a.cap));
const farOver = over.filter(({ cost, cap, minute }) => cost > cap + minute);
const cut = runs.filter(({ isCut }) => isCut);
const falselyCut = cut.filter(({ need, slack, cap }) => need + slack <= cap);
const used = cut.map(({ cost, cap }) => cost / cap).toSorted((a, b) => a - b);
const counted = (status: string) => runs.filter((run) => run.status === status && !run.isCut).length;

console.log(
  `${count} runs, ${runs.reduce((sum, { jobs }) => sum + jobs, 0)} jobs, in ${seconds.toFixed(1)} s (load ${loadavg()[0]?.toFixed(1)})`,
);
console.log(
  `cut by their caps ${cut.length}, completed ${counted("completed")}, failed otherwise ${counted("failed")}`,
);
console.log(`over the cap ${over.length}, by more than a minute of their machines ${farOver.length}`);
for (const { seed, cost, cap, minute } of over.slice(0, 5))
  console.log(`  seed ${seed}: $${cost.toFixed(4)} of $${cap.toFixed(4)}, a minute is $${minute.toFixed(4)}`);
console.log(`cut although they would have fitted ${falselyCut.length}`);
for (const { seed, need, slack, cap, reason } of falselyCut.slice(0, 5))
  console.log(
    `  seed ${seed}: needed $${need.toFixed(4)}, slack $${slack.toFixed(4)}, cap $${cap.toFixed(4)}: ${reason}`,
  );
const share = (at: number) => `${((used[Math.floor((used.length - 1) * at)] ?? 0) * 100).toFixed(0)} %`;
console.log(`of its cap a cut run had spent: median ${share(0.5)}, least ${share(0)}, most ${share(1)}`);
if (farOver.length > 0 || falselyCut.length > 0) process.exitCode = 1;
