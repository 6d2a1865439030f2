// The document of a run: its plan (a blob), its progress (the run's custom status) and its nodes' own instances. Nothing is
// kept apart from these: what this module remembers is only the results of nodes that have ended.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type DurableClient, type DurableOrchestrationStatus, OrchestrationRuntimeStatus } from "durable-functions";
import type { RunInput, RunOutput } from "#orchestrations/run-pipeline.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { heldOf, spentOf } from "#shared/domain/cost/cost-ledger.ts";
import { addTime, priceTime } from "#shared/domain/cost/machine-time.ts";
import { toUsd } from "#shared/domain/cost/money.ts";
import type { Prices } from "#shared/domain/cost/prices.ts";
import { phaseOf } from "#shared/domain/job-phase.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { NodeProgress, NodeResult, type ReusedResult } from "#shared/domain/node-result.ts";
import { dependenciesInRun, planNodeOf } from "#shared/domain/plan-node-of.ts";
import { dependenciesOf, type Plan, type PlanNode } from "#shared/domain/plan.ts";
import { RunProgress, toNodeStates, toNodeStatuses } from "#shared/domain/run-progress.ts";
import type { NodeState } from "#shared/domain/run-state.ts";
import {
  type NodeRun,
  nodeStatusFacts,
  type RunDocument,
  type RunStatus,
  type RunSummary,
} from "#shared/domain/run.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { Plans } from "#shared/plans.ts";
import type { CostLedgers } from "./cost/cost-ledgers.ts";
import { findInstance } from "./instances.ts";
import type { RunArchive } from "./retention/run-archive.ts";
import type { NodeMemory } from "./reuse/node-memory.ts";

type Told = NodeResult | NodeProgress | ReusedResult;

/** Nodes whose own instances are read for one document; beyond it the run's progress says enough. */
const detailedNodes = 60;

/** Live jobs that are asked for one document, and how long an answer serves every watcher. */
const askedJobs = 5;
const jobStatusMs = 1_000;

/** The last pause of waiting for a node's own result, in milliseconds. */
const longestSettleMs = 160;

/** Runs whose reused nodes are remembered. */
const rememberedRuns = 200;

/** Results of ended nodes that are remembered. */
const rememberedResults = 5_000;

export type RunDocuments = ReturnType<typeof createRunDocuments>;

export function createRunDocuments(clients: {
  readonly plans: Plans;
  readonly ml: Ml;
  readonly memory: NodeMemory;
  readonly archive: Pick<RunArchive, "find">;
  readonly prices: Prices;
  readonly costs: Pick<CostLedgers, "find">;
}) {
  const { plans, ml, memory, archive, prices, costs } = clients;
  const reused = new Map<string, readonly ReusedResult[]>();
  const results = new Map<string, NodeResult>();
  const jobStatuses = new Map<string, { status: Promise<string | undefined>; until: number }>();

  async function readNode(
    client: DurableClient,
    runId: string,
    node: string,
  ): Promise<NodeResult | NodeProgress | undefined> {
    const instanceId = nodeInstanceId(runId, node);
    const known = results.get(instanceId);
    if (known !== undefined) return known;
    const status = await findInstance(client, instanceId);
    const result = NodeResult.safeParse(status?.output);
    if (result.success) {
      const oldest = results.keys().next();
      if (results.size >= rememberedResults && oldest.done !== true) results.delete(oldest.value);
      results.set(instanceId, result.data);
      return result.data;
    }
    return NodeProgress.safeParse(status?.customStatus).data;
  }

  /** A node reports to its run just before its own instance ends: what the run knows as ended is given a moment to say how. */
  async function readNodeAs(client: DurableClient, runId: string, node: string, state: NodeState | undefined) {
    const isEnded = state !== undefined && nodeStatusFacts[state.status].isTerminal;
    for (let pauseMs = 5; ; pauseMs *= 2) {
      const told = await readNode(client, runId, node);
      if (!isEnded || pauseMs > longestSettleMs || (told !== undefined && "status" in told)) return told;
      await sleep(pauseMs);
    }
  }

  /** @param only the one node that is wanted in detail; absent for as many as a document tells of */
  async function get(client: DurableClient, runId: string, only?: string): Promise<RunDocument> {
    const status = await findInstance(client, runId, { showInput: true });
    if (status?.name !== "runPipeline") {
      const archived = await archive.find(runId);
      if (archived !== undefined) return archived;
      throw new MlpipeError("NotFound", `There is no run ${runId}`);
    }
    const { plan } = await plans.get(runId);
    return toDocument(client, runId, plan, status, only);
  }

  async function toDocument(
    client: DurableClient,
    runId: string,
    plan: Plan,
    status: DurableOrchestrationStatus,
    only: string | undefined,
  ): Promise<RunDocument> {
    const input = status.input as RunInput;
    const states = statesOf(plan, status);
    const told = new Map<string, Told>();
    const wanted = plan.nodes
      .flatMap(({ name, kind }, index) => (hasInstance(states[index]) ? [{ name, kind, state: states[index] }] : []))
      .filter(({ name }) => only === undefined || name === only)
      .toSorted((a, b) => interest(b) - interest(a));
    await Promise.all(
      wanted.slice(0, detailedNodes).map(async ({ name, state }) => {
        const node = await readNodeAs(client, runId, name, state);
        if (node !== undefined) told.set(name, node);
      }),
    );
    await refreshJobStatuses(told);
    for (const result of await reusedBy(runId, states)) told.set(result.node, result);
    const output = status.output as RunOutput | null;
    const made = Map.groupBy(Object.entries(output?.uris ?? {}), ([key]) => key.slice(0, key.lastIndexOf(".")));
    const nodes = plan.nodes.map((node, index) => {
      const run = withCost(toNodeRun(node, states[index], told.get(node.name)), told.get(node.name));
      const uris = nodeStatusFacts[run.status].isSuccess && run.outputs === undefined ? made.get(node.name) : undefined;
      if (uris === undefined) return run;
      return { ...run, outputs: Object.fromEntries(uris.map(([key, uri]) => [key.slice(node.name.length + 1), uri])) };
    });
    const runStatus = toRunStatus(status);
    const uris =
      output?.uris ??
      Object.fromEntries(
        nodes.flatMap((node) => Object.entries(node.outputs ?? {}).map(([key, uri]) => [`${node.name}.${key}`, uri])),
      );
    const outputs = Object.entries(plan.outputs).flatMap(([name, from]) => {
      const uri = uris[`${from.node}.${from.output}`];
      return uri === undefined ? [] : [[name, uri] as const];
    });
    const failure = failureOf(status, nodes);
    const cost = await costOfRun(runId, plan, status, states, told);
    const isEnded = runStatus !== "queued" && runStatus !== "running";
    const decider = nodes.find((_node, index) => plan.nodes[index]?.promotion !== undefined);
    const isAsking = runStatus === "running" && decider?.promotion?.approval?.requestedTime !== undefined;
    const waiting = runStatus === "queued" ? waitsFor(status) : isAsking ? decider.waitsFor : undefined;
    const promotion = promotionOf(plan, decider);
    return {
      runId,
      pipeline: plan.pipeline,
      ...(plan.displayName === undefined ? {} : { displayName: plan.displayName }),
      experimentName: plan.experimentName,
      status: runStatus,
      createdTime: input.createdTime,
      lastUpdatedTime: iso(status.lastUpdatedTime),
      ...(isEnded ? { endTime: iso(status.lastUpdatedTime) } : {}),
      nodes,
      outputs: Object.fromEntries(outputs),
      ...(waiting === undefined ? {} : { waitsFor: waiting }),
      ...(promotion === undefined ? {} : { promotion }),
      ...(failure === undefined ? {} : { failure }),
      tags: plan.tags,
      ...(plan.assets === undefined ? {} : { assets: plan.assets }),
      ...(cost === undefined ? {} : { cost }),
      ...(plan.continues === undefined ? {} : { continues: plan.continues.runId }),
    };
  }

  function withCost(node: NodeRun, told: Told | undefined): NodeRun {
    if (told?.machineTime === undefined || node.status === "reused") return node;
    return { ...node, cost: toSpent(priceTime(prices, told.machineTime)) };
  }

  /** What a run with a cap has spent says its ledger; of another, what is known of its nodes. */
  async function costOfRun(
    runId: string,
    plan: Plan,
    { customStatus }: DurableOrchestrationStatus,
    states: readonly NodeState[],
    told: ReadonlyMap<string, Told>,
  ): Promise<RunDocument["cost"]> {
    const { maxCost } = plan.settings;
    if (maxCost !== undefined) {
      const ledger = await costs.find(runId);
      if (ledger === undefined) return { spent: 0, cap: maxCost };
      return { spent: toUsd(spentOf(ledger)), held: toUsd(heldOf(ledger)), cap: maxCost };
    }
    const live = plan.nodes.flatMap(({ name }, index) => {
      const isEnded = nodeStatusFacts[states[index]?.status ?? "waiting"].isTerminal;
      return isEnded ? [] : [told.get(name)?.machineTime];
    });
    const time = live.reduce(addTime, RunProgress.safeParse(customStatus).data?.machineTime);
    return time === undefined ? undefined : toSpent(priceTime(prices, time));
  }

  /** The nodes that a run has reused; read again when there are more than the last time. */
  async function reusedBy(runId: string, states: readonly NodeState[]): Promise<readonly ReusedResult[]> {
    const count = states.filter(({ status }) => status === "reused").length;
    const known = reused.get(runId) ?? [];
    if (known.length >= count) return known;
    const found = await memory.reusedBy(runId);
    reused.set(runId, found);
    const oldest = reused.keys().next();
    if (reused.size > rememberedRuns && oldest.done !== true) reused.delete(oldest.value);
    return found;
  }

  /** A trial of a sweep, or a node of a loop's round, is in no document of the run. */
  async function findInner(client: DurableClient, runId: string, name: string): Promise<NodeRun | undefined> {
    const { plan } = await plans.get(runId);
    const planned = planNodeOf(plan, name);
    const told = planned === undefined ? undefined : await readNode(client, runId, name);
    if (planned === undefined || told === undefined) return undefined;
    const node = withCost(toNodeRun({ ...planned, name }, { status: "running", attempt: 1 }, told), told);
    return { ...node, dependsOn: dependenciesInRun(plan, name) };
  }

  /** A node's orchestration sleeps while its job moves on, so the jobs of the first few live nodes are asked themselves. */
  async function refreshJobStatuses(told: Map<string, Told>): Promise<void> {
    const live = [...told].filter(([, node]) => !("status" in node) && node.jobName !== undefined).slice(0, askedJobs);
    await Promise.all(
      live.map(async ([name, node]) => {
        const jobStatus = await jobStatusOf(node.jobName ?? "");
        if (jobStatus !== undefined) told.set(name, { ...node, jobStatus });
      }),
    );
  }

  function jobStatusOf(jobName: string): Promise<string | undefined> {
    const now = Date.now();
    const known = jobStatuses.get(jobName);
    if (known !== undefined && known.until > now) return known.status;
    for (const [name, { until }] of jobStatuses) if (until <= now) jobStatuses.delete(name);
    // A workspace that does not answer takes nothing from the document but freshness.
    const status = ml.getJob(jobName).then(
      (job) => job?.properties.status,
      () => undefined,
    );
    jobStatuses.set(jobName, { status, until: now + jobStatusMs });
    return status;
  }

  return {
    get,

    /** @returns the document and a tag that changes when it does */
    async getTagged(client: DurableClient, runId: string): Promise<{ document: RunDocument; etag: string }> {
      const document = await get(client, runId);
      // The time of the last write says nothing that the rest does not.
      const { lastUpdatedTime: _time, ...rest } = document;
      return {
        document,
        etag: `"${createHash("sha256").update(JSON.stringify(rest)).digest("base64url").slice(0, 22)}"`,
      };
    },

    /** @throws MlpipeError `NotFound` when the run has no such node */
    async getNode(client: DurableClient, runId: string, node: string): Promise<NodeRun> {
      const document = await get(client, runId, node);
      const found = document.nodes.find(({ name }) => name === node) ?? (await findInner(client, runId, node));
      if (found === undefined) {
        const names = document.nodes.map(({ name }) => name).join(", ");
        throw new MlpipeError("NotFound", `Run ${runId} has no node ${node}; it has ${names.slice(0, 500)}`);
      }
      return found;
    },
  };
}

function statesOf(plan: Plan, status: DurableOrchestrationStatus): NodeState[] {
  const progress = RunProgress.safeParse(status.customStatus);
  if (progress.success) return toNodeStates(progress.data);
  return plan.nodes.map(() => ({ status: "waiting", attempt: 0 }));
}

/** What became of the run's model; a node that never decided says why. */
function promotionOf(plan: Plan, node: NodeRun | undefined): RunDocument["promotion"] {
  if (node === undefined) return undefined;
  if (node.promotion !== undefined || !nodeStatusFacts[node.status].isTerminal) return node.promotion;
  const asked = plan.nodes.find(({ name }) => name === node.name)?.promotion;
  if (asked === undefined) return undefined;
  const reason = node.failure?.reason ?? `the node that decides on it was ${node.status}`;
  return { model: asked.model, stage: asked.stage, outcome: "not-promoted", reason, rules: [] };
}

const hasInstance = (state: NodeState | undefined) => state !== undefined && state.attempt > 0;

/** The node that decides on the model first, then running ones, then failed ones. */
function interest({ kind, state }: { kind: PlanNode["kind"]; state: NodeState | undefined }): number {
  const { isTerminal, isSuccess } = nodeStatusFacts[state?.status ?? "waiting"];
  // What became of the model is part of the run's own document.
  if (kind === "promote") return 3;
  if (!isTerminal) return 2;
  return isSuccess ? 0 : 1;
}

/** Whether a job is not on a machine yet. */
function isQueuedStatus(jobStatus: string | undefined): boolean {
  return jobStatus === undefined || jobStatus === "NotFound" || phaseOf(jobStatus) === "queued";
}

function toNodeRun(node: PlanNode, state: NodeState = { status: "waiting", attempt: 0 }, told?: Told): NodeRun {
  const base = { name: node.name, component: node.component.name, dependsOn: dependenciesOf(node) };
  if (told === undefined) {
    return {
      ...base,
      status: state.status,
      attempt: state.attempt,
      ...(state.startTime === undefined ? {} : { startTime: state.startTime }),
      ...(state.endTime === undefined ? {} : { endTime: state.endTime }),
    };
  }
  const { attempt, jobName, jobStatus, instanceType, refused, attempts, waitsFor, startTime } = told;
  const { sweep, taken, loop, promotion } = told;
  const hasJob = sweep === undefined && node.loop === undefined && node.kind !== "if_else" && node.kind !== "promote";
  const isQueued = state.status === "running" && hasJob && isQueuedStatus(jobStatus);
  const result = "status" in told ? told : undefined;
  const endTime = result?.endTime ?? state.endTime;
  return {
    ...base,
    status: result?.status ?? (isQueued ? "queued" : state.status),
    attempt,
    startTime,
    ...(jobName === undefined ? {} : { jobName }),
    ...(jobStatus === undefined ? {} : { jobStatus }),
    ...(instanceType === undefined ? {} : { instanceType }),
    ...(sweep === undefined ? {} : { sweep }),
    ...(taken === undefined ? {} : { taken }),
    ...(loop === undefined ? {} : { loop }),
    ...(promotion === undefined ? {} : { promotion }),
    ...(refused.length === 0 ? {} : { refusedInstanceTypes: refused }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(waitsFor === undefined || result !== undefined ? {} : { waitsFor }),
    ...(endTime === undefined ? {} : { endTime }),
    ...(result !== undefined && "outputs" in result ? { outputs: result.outputs } : {}),
    ...(result !== undefined && "failure" in result && result.failure !== undefined ? { failure: result.failure } : {}),
    ...(result?.status === "reused" ? { reusedFrom: result.reusedFrom } : {}),
  };
}

function toRunStatus(status: DurableOrchestrationStatus): RunStatus {
  const output = status.output as RunOutput | null;
  switch (status.runtimeStatus) {
    case OrchestrationRuntimeStatus.Completed:
      return output?.status ?? "failed";
    case OrchestrationRuntimeStatus.Failed:
      return "failed";
    case OrchestrationRuntimeStatus.Terminated:
    case OrchestrationRuntimeStatus.Canceled:
      return "canceled";
    case OrchestrationRuntimeStatus.Pending:
      return "queued";
    case OrchestrationRuntimeStatus.Running:
    case OrchestrationRuntimeStatus.ContinuedAsNew:
    case OrchestrationRuntimeStatus.Suspended:
      return waitsFor(status) === undefined ? "running" : "queued";
  }
}

/** What a run waits for before it starts. */
function waitsFor({ customStatus }: DurableOrchestrationStatus): string | undefined {
  return RunProgress.safeParse(customStatus).data?.waitsFor;
}

function failureOf(status: DurableOrchestrationStatus, nodes: readonly NodeRun[]): RunDocument["failure"] {
  const progress = RunProgress.safeParse(status.customStatus);
  if (status.runtimeStatus === OrchestrationRuntimeStatus.Failed)
    return { reason: String(status.output).slice(0, 1_000) };
  if (progress.data?.failure !== undefined) return progress.data.failure;
  if (progress.data?.cancelReason !== undefined) return { reason: progress.data.cancelReason };
  const failed = nodes.find((node) => node.status === "failed");
  return failed === undefined ? undefined : { node: failed.name, reason: failed.failure?.reason ?? "it failed" };
}

/** One line of a list: what the instance itself tells. */
export function toSummary(status: DurableOrchestrationStatus): RunSummary {
  const input = status.input as RunInput;
  const progress = RunProgress.safeParse(status.customStatus).data;
  const statuses = progress === undefined ? [] : toNodeStatuses(progress);
  return {
    runId: status.instanceId,
    pipeline: input.pipeline,
    status: toRunStatus(status),
    createdTime: input.createdTime,
    lastUpdatedTime: iso(status.lastUpdatedTime),
    nodeCount: input.nodeCount,
    completedNodeCount: statuses.filter((each) => nodeStatusFacts[each].isSuccess).length,
  };
}

function toSpent({ usd, isComplete }: { usd: number; isComplete: boolean }) {
  return { spent: usd, ...(isComplete ? {} : { isAtLeast: true as const }) };
}

const iso = (time: Date | string) => new Date(time).toISOString();
