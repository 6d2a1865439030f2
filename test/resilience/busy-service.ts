// The same runs against a workspace in good health and against one that is busy, fails at random and is down for a while.
import { setTimeout as delay } from "node:timers/promises";
import type { RunList } from "#shared/api.ts";
import { type FaultsInput } from "#local/azureml/faults.ts";
import { appending, writing } from "../suite/app.ts";
import type { OwnStack } from "./own-stack.ts";

export interface Effort {
  /** Run status -> how many ended so. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Calls of the app that reached the workspace, those of jobs and of this test left out. */
  readonly calls: number;
  /** Calls told to come back later, and those that came back too early. */
  readonly told: number;
  readonly tooEarly: number;
  readonly seconds: number;
}

export interface Outage {
  /** After the runs have been started. */
  readonly afterSeconds: number;
  readonly seconds: number;
}

const bad: NonNullable<FaultsInput["rules"]> = [
  { kind: "respond", status: 429, retryAfterSeconds: 1, rate: 0.3 },
  { kind: "respond", status: 500, rate: 0.1 },
];
const down: NonNullable<FaultsInput["rules"]> = [{ kind: "respond", status: 503 }];

/** Starts `runs` chains of three nodes and waits for all of them, without looking at what they do. */
export async function runAll({ app, controls }: OwnStack, runs: number, outage?: Outage): Promise<Effort> {
  const before = await controls.counters();
  const begun = performance.now();
  // The faults leave the doors of this test alone: their rules name the service's routes.
  if (outage !== undefined) await controls.setWorkspaceFaults({ seed: 3, rules: forService(bad) });
  const jobs = { a: writing("a"), b: appending("a", "b"), c: appending("b", "c") };
  const started = new Set<string>();
  for (let index = 0; index < runs; index += 1) started.add((await app.start(jobs)).runId);
  if (outage !== undefined) {
    await delay(outage.afterSeconds * 1000);
    await controls.setWorkspaceFaults({ rules: forService(down) });
    await delay(outage.seconds * 1000);
    await controls.setWorkspaceFaults({ seed: 4, rules: forService(bad) });
  }
  const statuses = await untilEnded(app, started);
  await controls.setWorkspaceFaults();
  const after = await controls.counters();
  return {
    statuses,
    calls: callsOf(after.calls) - callsOf(before.calls),
    told: after.told - before.told,
    tooEarly: after.tooEarly - before.tooEarly,
    seconds: (performance.now() - begun) / 1000,
  };
}

const services = ["jobs", "datastores", "environments", "codes", "workspaces", "history"];

function forService(rules: typeof bad): typeof bad {
  return services.flatMap((name) => rules.map((rule) => ({ ...rule, route: `${name}.*` })));
}

function callsOf(calls: Readonly<Record<string, number>>): number {
  const counted = Object.entries(calls).filter(([route]) => services.some((name) => route.startsWith(`${name}.`)));
  return counted.reduce((sum, [, count]) => sum + count, 0);
}

/** By the list alone: a run's own document asks the workspace where its jobs are. */
async function untilEnded(app: OwnStack["app"], started: ReadonlySet<string>): Promise<Record<string, number>> {
  for (;;) {
    const statuses: string[] = [];
    let path = "runs?limit=200";
    for (;;) {
      const { runs, nextLink } = (await (await app.call(path)).json()) as RunList;
      statuses.push(...runs.filter(({ runId }) => started.has(runId)).map(({ status }) => status));
      if (nextLink === undefined) break;
      path = nextLink.slice(nextLink.indexOf("/api/") + 5);
    }
    if (statuses.length === started.size && statuses.every((status) => status !== "queued" && status !== "running")) {
      return Object.fromEntries(
        [...new Set(statuses)].map((one) => [one, statuses.filter((status) => status === one).length]),
      );
    }
    await delay(1000);
  }
}
