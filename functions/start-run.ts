// Turns a valid request into a run: compile, store the plan, start the instance. The plan is stored first and the id may be
// derived from the caller's key, so a request that is repeated after any crash goes on where the first stopped.
import { createHash } from "node:crypto";
import type { DurableClient } from "durable-functions";
import type { RunInput } from "#orchestrations/run-pipeline.ts";
import type { InputValue } from "#shared/api.ts";
import { canonicalJson } from "#shared/domain/canonical-json.ts";
import { type AssetResolver, checkDocument, compilePlan } from "#shared/domain/compile-plan.ts";
import { capIssues } from "#shared/domain/cost/keepable-cap.ts";
import type { Prices } from "#shared/domain/cost/prices.ts";
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import type { Plan } from "#shared/domain/plan.ts";
import { derivedRunId, newRunId } from "#shared/domain/run-id.ts";
import { formatIssue, type Issue, MlpipeError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { Plans, StoredPlan } from "#shared/plans.ts";
import type { Admission } from "./admission.ts";
import type { Notifications } from "./webhooks/notifications.ts";
import { findInstance, startOnce } from "./instances.ts";
import type { RunArchive } from "./retention/run-archive.ts";

export interface RunRequest {
  readonly document: PipelineDocument;
  /** Name of a deployed pipeline; an inline one has its own. */
  readonly name?: string | undefined;
  readonly inputs?: Record<string, InputValue> | undefined;
  readonly tags?: Record<string, string> | undefined;
  readonly displayName?: string | undefined;
  readonly experimentName?: string | undefined;
  /** Every node runs, whatever has been made before. */
  readonly force?: boolean | undefined;
  /** How long the run may take, over the pipeline's own limit. */
  readonly timeoutSeconds?: number | undefined;
  /** How a named pipeline was asked for. */
  readonly reference?: string | undefined;
  /** The version of a registered pipeline that the document is. */
  readonly pipelineVersion?: string | undefined;
  /** US dollars the run may cost, over the pipeline's own cap. */
  readonly maxCost?: number | undefined;
}

export type StartRun = ReturnType<typeof createStartRun>;

export interface StartRunClients {
  readonly resolver: AssetResolver;
  readonly admission: Admission;
  /** Most machines of a job whose processes wait for each other. */
  readonly machinesPerJob: number | undefined;
  readonly plans: Plans;
  readonly prices: Prices;
  readonly archive: Pick<RunArchive, "find">;
  readonly notifications: Pick<Notifications, "tell">;
  readonly log: Log;
}

export function createStartRun({
  resolver,
  admission,
  machinesPerJob,
  plans,
  prices,
  archive,
  notifications,
  log,
}: StartRunClients) {
  /** What a run would be, nodes that cannot run among it. @throws MlpipeError `InvalidRequest` with every issue */
  async function preview({
    document,
    name,
    inputs = {},
    tags,
    displayName,
    experimentName,
    force,
    timeoutSeconds,
    reference = name,
    pipelineVersion,
    maxCost,
  }: RunRequest): Promise<{ plan: Plan; warnings: readonly Issue[]; refusals: readonly Issue[] }> {
    const compiled = await compilePlan(document, {
      inputs,
      assets: resolver,
      ...(machinesPerJob === undefined ? {} : { machinesPerJob }),
      ...(name === undefined ? {} : { name }),
      ...(tags === undefined ? {} : { tags }),
      ...(displayName === undefined ? {} : { displayName }),
      ...(experimentName === undefined ? {} : { experimentName }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(reference === undefined || pipelineVersion === undefined
        ? {}
        : { registeredAs: { reference, version: pipelineVersion } }),
      ...(maxCost === undefined ? {} : { maxCost }),
    });
    if (compiled.plan !== undefined) {
      const mustRun = force === true ? { mustRun: compiled.plan.nodes.map((node) => node.name) } : {};
      return { plan: { ...compiled.plan, ...mustRun }, warnings: compiled.warnings, refusals: compiled.refusals };
    }
    throw invalid(compiled.issues);
  }

  async function compile(request: RunRequest): Promise<{ plan: Plan; warnings: readonly Issue[] }> {
    const { plan, warnings, refusals } = await preview(request);
    if (refusals.length > 0) throw invalid([...refusals, ...warnings]);
    refuseUnkeepable(plan);
    return { plan, warnings };
  }

  /** Nothing starts under a cap that cannot be kept. */
  function refuseUnkeepable(plan: Plan): void {
    const issues = capIssues(plan, prices);
    if (issues.length > 0) throw invalid(issues);
  }

  /** What cannot run whole is not begun. @throws MlpipeError `InvalidRequest` with an issue for every node that cannot run */
  async function admit(plan: Plan, refusals: readonly Issue[] = []): Promise<void> {
    const more = [...(await admission.refusals(plan))].map(([node, reason]) => toRefusalIssue(node, reason));
    if (refusals.length + more.length > 0) throw invalid([...refusals, ...more]);
  }

  async function compileAdmitted(request: RunRequest): Promise<Plan> {
    const { plan, refusals } = await preview(request);
    await admit(plan, refusals);
    refuseUnkeepable(plan);
    return plan;
  }

  /** Keeps the plan of a new run; of a known one, the plan that was stored first. */
  async function store(
    runId: string,
    plan: Plan,
    request: RunRequest | undefined,
    requestHash = hashOf(plan),
  ): Promise<{ stored: StoredPlan; isNew: boolean }> {
    const fresh = { requestHash, createdTime: new Date().toISOString(), plan };
    const isNew = await plans.create(runId, fresh, request);
    if (isNew) log.info({ runId, pipeline: plan.pipeline, nodes: plan.nodes.length }, "run started");
    return { stored: isNew ? fresh : await plans.get(runId), isNew };
  }

  async function begin(
    client: DurableClient,
    runId: string,
    { plan, createdTime }: StoredPlan,
    isNew: boolean,
  ): Promise<void> {
    // Without its history the id of a run that was there once looks unused.
    if (!isNew && (await archive.find(runId)) !== undefined) return;
    if (!(await startInstance(client, runId, plan, createdTime))) return;
    const { pipeline, displayName } = plan;
    const about = { runId, pipeline, ...(displayName === undefined ? {} : { displayName }) };
    const data = { ...about, status: "queued", startTime: createdTime };
    await notifications.tell(client, [{ type: "run.started", data, time: createdTime }]);
  }

  async function startNew(
    client: DurableClient,
    runId = newRunId(Math.random),
    plan: Plan,
    request: RunRequest | undefined,
    requestHash: string,
  ): Promise<string> {
    const { stored, isNew } = await store(runId, plan, request, requestHash);
    if (stored.requestHash !== requestHash) throw usedKey(runId);
    await begin(client, runId, stored, isNew);
    return runId;
  }

  return {
    compile,
    preview,

    /** Finds what is wrong with a document whatever values its inputs get. @throws MlpipeError `InvalidRequest` with every issue */
    async check(document: PipelineDocument): Promise<void> {
      const { issues } = checkDocument(document);
      const [first] = issues.filter(({ severity }) => severity === "error");
      if (first !== undefined) throw new MlpipeError("InvalidRequest", formatIssue(first), { issues });
    },

    /**
     * Starts a run, or finds the one that the same key started before.
     *
     * @returns the run's id
     * @throws MlpipeError `InvalidRequest` with every issue; `Conflict` when the key was used for another request
     */
    async start(client: DurableClient, request: RunRequest, idempotencyKey?: string): Promise<string> {
      const requestHash = hashOf(asAsked(request));
      // A request that is sent again finds its run, whatever its names mean by now.
      const runId = idempotencyKey === undefined ? undefined : await keyedRunId(idempotencyKey);
      const known = runId === undefined ? undefined : await plans.find(runId);
      if (runId === undefined || known === undefined)
        return startNew(client, runId, await compileAdmitted(request), request, requestHash);
      if (known.requestHash !== requestHash) throw usedKey(runId);
      await begin(client, runId, known, false);
      return runId;
    },

    /** The same for a plan that is there already. @param request kept for reruns with other inputs */
    async startPlan(
      client: DurableClient,
      plan: Plan,
      request: RunRequest | undefined,
      idempotencyKey?: string,
    ): Promise<string> {
      refuseUnkeepable(plan);
      const runId = idempotencyKey === undefined ? undefined : await keyedRunId(idempotencyKey);
      // What was begun is told of again, whatever the workspace would say today.
      if (runId === undefined || (await plans.find(runId)) === undefined) await admit(plan);
      return startNew(client, runId, plan, request, hashOf(plan));
    },

    /**
     * Starts the run of this id, or goes on where an earlier try stopped: the plan that was stored first stays.
     *
     * @param toRequest asked only when no plan is stored yet
     * @throws MlpipeError `InvalidRequest` with every issue
     */
    async startAs(client: DurableClient, runId: string, toRequest: () => Promise<RunRequest>): Promise<void> {
      const known = await plans.find(runId);
      if (known !== undefined) return begin(client, runId, known, false);
      const request = await toRequest();
      const plan = await compileAdmitted(request);
      const { stored, isNew } = await store(runId, plan, request);
      return begin(client, runId, stored, isNew);
    },
  };
}

const keyedRunId = (key: string) => derivedRunId("idempotency-key", key);

function hashOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** What makes two requests the same: a named pipeline's document is what the name meant at the time. */
function asAsked({ document, reference, pipelineVersion: _found, ...rest }: RunRequest): unknown {
  return reference === undefined ? { document, ...rest } : { reference, ...rest };
}

function usedKey(runId: string): MlpipeError {
  return new MlpipeError(
    "Conflict",
    `This Idempotency-Key started run ${runId} with another request. Use a new key for a new request.`,
  );
}

/** A node of a sub-pipeline stands in that node's component. */
function toRefusalIssue(node: string, reason: string): Issue {
  const path = `jobs.${node.split(".").join(".component.jobs.")}`;
  return { path, message: `node \`${node}\` cannot run: ${reason}`, severity: "error" };
}

function invalid(issues: readonly Issue[]): MlpipeError {
  const errors = issues.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const message =
    first === undefined
      ? "The pipeline is not valid"
      : `${first.path === "" ? "" : `${first.path}: `}${first.message}${more}`;
  return new MlpipeError("InvalidRequest", message, { issues });
}

/** @returns whether it was not there yet */
async function startInstance(client: DurableClient, runId: string, plan: Plan, createdTime: string): Promise<boolean> {
  // An ended instance could be started again under its id: look first.
  if ((await findInstance(client, runId)) !== undefined) return false;
  const input: RunInput = {
    runId,
    pipeline: plan.pipeline,
    experimentName: plan.experimentName,
    ...(plan.displayName === undefined ? {} : { displayName: plan.displayName }),
    tags: plan.tags,
    nodeCount: plan.nodes.length,
    createdTime,
  };
  await startOnce(client, "runPipeline", runId, input);
  return true;
}
