// One run with a cap on the real orchestrations and the real ledger, over a workspace whose jobs take random times on machines of
// random sizes, are taken away, get lost, end while their submission is still being asked for, and end late when cancelled.
import type { DurableClient } from "durable-functions";
import { createLendMoney } from "#functions/activities/lend-money.ts";
import { createSettleMoney } from "#functions/activities/settle-money.ts";
import { createCostLedgers } from "#functions/cost/cost-ledgers.ts";
import { nodeMachines } from "#functions/cost/node-machines.ts";
import type { GuardedRecords } from "#functions/guarded-document.ts";
import { type NodeInput, runNode } from "#orchestrations/run-node.ts";
import { type RunInput, type RunOutput, runPipeline } from "#orchestrations/run-pipeline.ts";
import { CostLedger, heldOf, spentOf } from "#shared/domain/cost/cost-ledger.ts";
import { toMicros, toUsd } from "#shared/domain/cost/money.ts";
import { machineOf, priceOf, readPrices } from "#shared/domain/cost/prices.ts";
import { costLedgerPath, nodeInstanceId } from "#shared/domain/layout.ts";
import { graphOf, type Plan, type PlanNode } from "#shared/domain/plan.ts";
import { seededRandom } from "#shared/domain/seeded-random.ts";
import type { Plans } from "#shared/plans.ts";
import { createClock, createHost } from "./simulated-host.ts";

export interface Trouble {
  /** Milliseconds for which every timer and activity from this time on is held up: the app is gone. */
  readonly outage?: { readonly afterSeconds: number; readonly seconds: number };
}

export interface SimulatedRun {
  readonly status: RunOutput["status"];
  readonly isCut: boolean;
  readonly reason: string;
  readonly cap: number;
  /** What the jobs have truly cost, from their machines' begin to their end. */
  readonly cost: number;
  /** What they would have cost, had nothing been cut. */
  readonly need: number;
  readonly spent: number;
  readonly held: number;
  readonly jobs: number;
  /** What everything that ran at the same time cost in a minute, at most. */
  readonly minute: number;
  /** What may be missing although it would have fitted, see docs/cost.md. */
  readonly slack: number;
}

type Ending = "completed" | "preempted" | "lost";

interface Job {
  readonly name: string;
  readonly rate: number;
  readonly machineAt: number;
  readonly runsAt: number;
  endsAt: number;
  readonly ending: Ending;
  isCanceled?: boolean;
}

const sizes = ["Standard_D4s_v5", "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4", "Standard_F4s_v2"];
const prices = readPrices(undefined);
/** Seconds after which a job that gets lost answers nothing any more. */
const deafAfter = 1_000;
const begin = Date.parse("2026-01-05T10:00:00.000Z");

export async function simulateRun(seed: number, trouble: Trouble = {}): Promise<SimulatedRun> {
  const random = seededRandom(seed);
  const between = (least: number, most: number) => least + random() * (most - least);
  const pick = <T>(among: readonly T[]): T => among[Math.floor(random() * among.length)] as T;

  // The graph, and what becomes of every attempt of every node.
  const nodes: PlanNode[] = Array.from({ length: 1 + Math.floor(random() * 12) }, (_, index) => {
    const before = Array.from({ length: index }, (_each, other) => other).filter(() => random() < 1.5 / index);
    return newNode(
      `n${index}`,
      before.map((other) => `n${other}`),
      pick(sizes),
      pick([1, 1, 1, 2]),
      random() < 0.2,
    );
  });
  const attempts = new Map(nodes.map((node) => [node.name, drawAttempts()]));

  function drawAttempts() {
    const scale = Math.exp(between(Math.log(5), Math.log(7_200)));
    const failures = random() < 0.2 ? 1 + Math.floor(random() * 2) : 0;
    return Array.from({ length: 12 }, (_, index) => ({
      queue: random() < 0.5 ? between(0, 20) : between(0, 1_500),
      prepare: between(0, 300),
      run: scale * between(0.5, 1.5),
      ending: (index >= failures ? "completed" : random() < 0.2 ? "lost" : "preempted") as Ending,
    }));
  }

  const rateOf = (node: PlanNode, isDedicated = false) =>
    (priceOf(prices, machineOf(node, node.resources.instanceTypes[0], isDedicated)) ?? 0) *
    node.resources.instanceCount;
  let [need, slack] = [0, 0];
  for (const node of nodes) {
    let taken = 0;
    for (const { prepare, run, ending } of attempts.get(node.name) ?? []) {
      // After two spot machines were taken away, a dedicated one is asked for.
      const rate = rateOf(node, taken >= 2);
      if (ending === "preempted") taken += 1;
      // One that is lost burns on until it is found out, and then some of its money stays held.
      const isLost = ending === "lost";
      need += (rate * (prepare + (isLost ? deafAfter + 600 : run))) / 3600;
      slack += (rate * (isLost ? 1_400 : 75)) / 3600;
      if (ending === "completed") break;
    }
    slack += (rateOf(node) * 105) / 3600;
  }
  const cap = Math.max(0.001, Math.round(toUsd(need) * between(0.1, 1.6) * 1e4) / 1e4);
  const plan = { ...emptyPlan, settings: { ...emptyPlan.settings, maxCost: cap }, nodes };

  // The world.
  const clock = createClock(begin);
  const jobs = new Map<string, Job>();
  const refused = new Set<string>();
  const { records, text } = createStore(clock, () => between(1, 40));
  const processes = [0, 1].map(() => createCostLedgers({ records, pause: clock.sleep }));
  const runId = "run";
  const client = {
    getStatus: async (id: string) =>
      host.has(id)
        ? { instanceId: id, runtimeStatus: host.isLive(id) ? "Running" : "Completed" }
        : Promise.reject(new Error("404")),
  } as unknown as DurableClient;
  const plans = { get: async () => ({ plan }) } as unknown as Plans;
  const ml = {
    getJob: async (name: string) => {
      const job = jobs.get(name);
      return job === undefined ? undefined : ({ properties: { status: statusOf(job) } } as never);
    },
  };
  const money = processes.map((costs) => ({
    lend: createLendMoney({ plans, prices, costs, ml }),
    settle: createSettleMoney({ plans, costs }),
  }));

  function statusOf({ machineAt, runsAt, endsAt, ending, isCanceled }: Job): string {
    const now = clock.now();
    if (now >= endsAt) return isCanceled === true ? "Canceled" : ending === "completed" ? "Completed" : "Failed";
    if (isCanceled === true) return "CancelRequested";
    if (now < machineAt) return "Queued";
    if (now < runsAt) return "Preparing";
    return ending === "lost" && now > runsAt + 1_000 * deafAfter ? "NotResponding" : "Running";
  }

  function submit(input: { node: string; attempt: number; isDedicated?: boolean; ceilingSeconds?: number }) {
    const name = `${runId}-${input.node}-${input.attempt}`;
    const node = nodes.find((each) => each.name === input.node);
    // An attempt that never came to be a job takes nothing of what becomes of jobs.
    const draw = attempts.get(input.node)?.[
      [...jobs.keys()].filter((job) => job.startsWith(`${runId}-${input.node}-`)).length
    ];
    if (node === undefined || draw === undefined) return { kind: "rejected", reason: "it is unknown" };
    const fate = random();
    // The service remembers what it has refused.
    if (refused.has(name) || (!jobs.has(name) && fate < 0.02)) {
      refused.add(name);
      return { kind: "refused", reason: "no capacity" };
    }
    if (!jobs.has(name) && fate < 0.04) return { kind: "unavailable", reason: "no answer" };
    if (!jobs.has(name)) {
      const machineAt = clock.now() + 1_000 * draw.queue;
      const runsAt = machineAt + 1_000 * draw.prepare;
      // One that answers nothing any more burns on until somebody cancels it.
      const seconds = Math.min(draw.ending === "lost" ? 86_400 : draw.run, input.ceilingSeconds ?? Infinity);
      const endsAt = runsAt + 1_000 * seconds;
      jobs.set(name, { name, rate: rateOf(node, input.isDedicated), machineAt, runsAt, endsAt, ending: draw.ending });
      if (random() < 0.85)
        clock.at(endsAt + between(5, 500), () => host.signal(nodeInstanceId(runId, node.name), { kind: "job-ended" }));
      // An event that somebody else has made up.
      if (random() < 0.1)
        clock.at(between(clock.now(), endsAt), () =>
          host.signal(nodeInstanceId(runId, node.name), { kind: "job-ended" }),
        );
    }
    return fate < 0.08
      ? { kind: "unavailable", reason: "the answer was lost" }
      : { kind: "submitted", jobName: name, jobStatus: "NotStarted" };
  }

  async function submitOnce(input: Parameters<typeof submit>[0]) {
    if (await pick(processes).isClosed(runId, `${runId}-${input.node}-${input.attempt}`))
      return { kind: "refused", reason: "nobody waits for this job any more" };
    return submit(input);
  }

  function cancel(name: string): { isTaken: boolean } {
    if (random() < 0.03) return { isTaken: false };
    const job = jobs.get(name);
    if (job === undefined || job.isCanceled === true || clock.now() >= job.endsAt) return { isTaken: true };
    const latency = clock.now() < job.machineAt ? 0 : 1_000 * between(0, random() < 0.9 ? 30 : 50);
    const endsAt = clock.now() + latency;
    if (endsAt < job.endsAt) {
      job.isCanceled = true;
      job.endsAt = endsAt;
    }
    return { isTaken: true };
  }

  const outcomes: Record<string, string> = { Completed: "completed", Failed: "failed", Canceled: "canceled" };

  function ask(name: string, isAnnounced: boolean) {
    const job = jobs.get(name);
    if (job === undefined) return { jobStatus: "NotFound" };
    const jobStatus = statusOf(job);
    const outcome = outcomes[jobStatus];
    const end = isAnnounced ? {} : { endTime: new Date(job.endsAt).toISOString() };
    return { jobStatus, ...(outcome === undefined ? {} : { outcome, ...end }) };
  }

  function startNodes(started: readonly { node: string; upstream: Record<string, string> }[]) {
    for (const { node, upstream } of started) {
      const planned = nodes.find(({ name }) => name === node);
      if (planned === undefined) continue;
      const { instanceTypes } = planned.resources;
      const machines = nodeMachines(plan, planned);
      const input: NodeInput = { runId, node, kind: "command", component: "c", instanceTypes, upstream, machines };
      host.start(nodeInstanceId(runId, node), runNode, input);
    }
    return { reused: [] };
  }

  async function act(name: string, input: unknown): Promise<unknown> {
    const given = input as { node: string; jobName: string; nodes: never; signal: unknown; settleSeconds: number };
    switch (name) {
      case "readGraph":
        return graphOf(plan);
      case "startNodes":
        return startNodes(given.nodes);
      case "submitJob":
        return submitOnce(input as Parameters<typeof submit>[0]);
      case "getJob":
        return ask(given.jobName, given.settleSeconds > 0);
      case "cancelJob":
        return cancel(given.jobName);
      case "collectOutputs":
        return { outputs: {} };
      case "describeFailure":
        return { class: "preempted", reason: "the machine was taken away" };
      case "lendMoney":
        return pick(money).lend(input as never, client);
      case "settleMoney":
        return pick(money).settle(input as never);
      case "reportNode":
        host.signal(runId, { kind: "node-ended", result: (input as { result: unknown }).result });
        return null;
      case "signalNodes":
        for (const node of given.nodes as string[]) host.signal(nodeInstanceId(runId, node), given.signal);
        return null;
      case "checkNodes":
        return (given.nodes as string[]).flatMap((node) => host.output(nodeInstanceId(runId, node)) ?? []);
      default:
        return null;
    }
  }

  /** Milliseconds until the app is there again. */
  const held = () => {
    const { afterSeconds = Infinity, seconds = 0 } = trouble.outage ?? {};
    const from = begin + 1_000 * afterSeconds;
    return clock.now() >= from && clock.now() < from + 1_000 * seconds ? from + 1_000 * seconds - clock.now() : 0;
  };
  const host = createHost(clock, {
    act,
    delay: () => held() + between(5, random() < 0.95 ? 200 : 2_000),
    doubled: () => ({
      isDoubled: random() < 0.1,
      countsLater: random() < 0.3,
      afterMs: between(1, random() < 0.7 ? 2_000 : 5_000),
    }),
    late: () => held() + (random() < 0.95 ? between(0, 100) : between(0, 5_000)),
  });
  const input: RunInput = {
    runId,
    pipeline: "p",
    experimentName: "e",
    tags: {},
    nodeCount: nodes.length,
    createdTime: new Date(begin).toISOString(),
  };
  host.start(runId, runPipeline, input);
  await clock.run();

  const output = host.output(runId) as RunOutput | undefined;
  if (output === undefined) throw new Error(`run of seed ${seed} has not ended`);
  const ran = [...jobs.values()].filter(({ endsAt, machineAt }) => endsAt > machineAt);
  const cost = ran.reduce((sum, { rate, machineAt, endsAt }) => sum + (rate * (endsAt - machineAt)) / 3_600_000, 0);
  const crowds = ran.map(({ machineAt: time }) =>
    ran.filter((job) => job.machineAt <= time && time < job.endsAt).reduce((sum, { rate }) => sum + rate, 0),
  );
  const ledger = CostLedger.safeParse(JSON.parse(text(costLedgerPath(runId)) ?? "null")).data;
  const reason = output.failure?.reason ?? "";
  return {
    status: output.status,
    isCut: /the cap of/.test(reason),
    reason,
    cap: toUsd(toMicros(cap)),
    cost: toUsd(cost),
    need: toUsd(need),
    spent: ledger === undefined ? 0 : toUsd(spentOf(ledger)),
    held: ledger === undefined ? 0 : toUsd(heldOf(ledger)),
    jobs: jobs.size,
    minute: toUsd(Math.max(0, ...crowds) / 60),
    slack: toUsd(slack),
  };
}

function createStore(clock: ReturnType<typeof createClock>, delay: () => number) {
  const blobs = new Map<string, { text: string; etag: string }>();
  let writes = 0;
  const records: GuardedRecords = {
    async read(path) {
      await clock.sleep(delay());
      const found = blobs.get(path);
      await clock.sleep(delay());
      return found;
    },
    async replace(path, text, etag) {
      await clock.sleep(delay());
      if (blobs.get(path)?.etag !== etag) return false;
      blobs.set(path, { text, etag: `"${(writes += 1)}"` });
      await clock.sleep(delay());
      return true;
    },
  };
  return { records, text: (path: string) => blobs.get(path)?.text };
}

const emptyPlan: Plan = {
  pipeline: "p",
  experimentName: "e",
  tags: {},
  settings: { continueOnStepFailure: false, forceRerun: false },
  nodes: [],
  outputs: {},
};

function newNode(name: string, dependsOn: string[], size: string, instanceCount: number, isSpot: boolean): PlanNode {
  const inputs = dependsOn.map(
    (node) =>
      [
        node,
        { kind: "output" as const, type: "uri_folder" as const, node, output: "o", mode: "ro_mount" as const },
      ] as const,
  );
  return {
    name,
    kind: "command",
    component: { name: "c" },
    command: "true",
    environment: { kind: "asset", id: "e" },
    inputs: Object.fromEntries(inputs),
    outputs: {},
    environmentVariables: {},
    resources: { instanceTypes: [size], instanceCount },
    tags: {},
    isDeterministic: true,
    forceRerun: false,
    ...(isSpot ? { queueSettings: { job_tier: "spot" } } : {}),
  };
}
