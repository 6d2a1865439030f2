// Turns a valid request into a run: compile, store the plan, start the instance. The plan is stored first and the id may be
// derived from the caller's key, so a request that is repeated after any crash goes on where the first stopped.
import { createHash } from "node:crypto";
import type { DurableClient } from "durable-functions";
import type { RunInput } from "#orchestrations/run-pipeline.ts";
import type { InputValue } from "#shared/api.ts";
import { type AssetResolver, checkDocument, compilePlan } from "#shared/domain/compile-plan.ts";
import type { PipelineDocument } from "#shared/domain/load-pipeline.ts";
import type { Plan } from "#shared/domain/plan.ts";
import { derivedRunId, newRunId } from "#shared/domain/run-id.ts";
import { formatIssue, type Issue, MlpipeError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { Plans, StoredPlan } from "#shared/plans.ts";
import { findInstance, startOnce } from "./instances.ts";

export interface RunRequest {
  readonly document: PipelineDocument;
  /** Name of a deployed pipeline; an inline one has its own. */
  readonly name?: string;
  readonly inputs?: Record<string, InputValue> | undefined;
  readonly tags?: Record<string, string> | undefined;
  readonly displayName?: string | undefined;
  readonly experimentName?: string | undefined;
}

export type StartRun = ReturnType<typeof createStartRun>;

export function createStartRun({ resolver, plans, log }: { resolver: AssetResolver; plans: Plans; log: Log }) {
  async function compile({
    document,
    name,
    inputs = {},
    tags,
    displayName,
    experimentName,
  }: RunRequest): Promise<{ plan: Plan; warnings: readonly Issue[] }> {
    const compiled = await compilePlan(document, {
      inputs,
      assets: resolver,
      ...(name === undefined ? {} : { name }),
      ...(tags === undefined ? {} : { tags }),
      ...(displayName === undefined ? {} : { displayName }),
      ...(experimentName === undefined ? {} : { experimentName }),
    });
    if (compiled.plan !== undefined) return compiled;
    const errors = compiled.issues.filter(({ severity }) => severity === "error");
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    const message =
      first === undefined
        ? "The pipeline is not valid"
        : `${first.path === "" ? "" : `${first.path}: `}${first.message}${more}`;
    throw new MlpipeError("InvalidRequest", message, { issues: compiled.issues });
  }

  /** Keeps the plan of a new run; of a known one, the plan that was stored first. */
  async function store(runId: string, plan: Plan): Promise<{ stored: StoredPlan; requestHash: string }> {
    const requestHash = createHash("sha256").update(JSON.stringify(plan)).digest("hex");
    const fresh = { requestHash, createdTime: new Date().toISOString(), plan };
    const isNew = await plans.create(runId, fresh);
    if (isNew) log.info({ runId, pipeline: plan.pipeline, nodes: plan.nodes.length }, "run started");
    return { stored: isNew ? fresh : await plans.get(runId), requestHash };
  }

  return {
    compile,

    /** Finds what is wrong with a document whatever values its inputs get. @throws MlpipeError `InvalidRequest` with every issue */
    async check(document: PipelineDocument): Promise<void> {
      const issues = checkDocument(document);
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
      const { plan } = await compile(request);
      const runId =
        idempotencyKey === undefined ? newRunId(Math.random) : await derivedRunId("idempotency-key", idempotencyKey);
      const { stored, requestHash } = await store(runId, plan);
      if (stored.requestHash !== requestHash) {
        throw new MlpipeError(
          "Conflict",
          `This Idempotency-Key started run ${runId} with another request. Use a new key for a new request.`,
        );
      }
      await startInstance(client, runId, stored.plan, stored.createdTime);
      return runId;
    },

    /**
     * Starts the run of this id, or goes on where an earlier try stopped: the plan that was stored first stays.
     *
     * @param toRequest asked only when no plan is stored yet
     * @throws MlpipeError `InvalidRequest` with every issue
     */
    async startAs(client: DurableClient, runId: string, toRequest: () => Promise<RunRequest>): Promise<void> {
      let stored = await plans.find(runId);
      if (stored === undefined) {
        const { plan } = await compile(await toRequest());
        ({ stored } = await store(runId, plan));
      }
      await startInstance(client, runId, stored.plan, stored.createdTime);
    },
  };
}

async function startInstance(client: DurableClient, runId: string, plan: Plan, createdTime: string): Promise<void> {
  // An ended instance could be started again under its id: look first.
  if ((await findInstance(client, runId)) !== undefined) return;
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
}
