// A run that continues another: with the same plan or the same pipeline and other inputs, from its beginning or from further on.
import type { DurableClient } from "durable-functions";
import type { RerunRequest } from "#shared/api.ts";
import { graphOf, type Plan } from "#shared/domain/plan.ts";
import { nodeStatusFacts, type RunDocument, runStatusFacts } from "#shared/domain/run.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "./app.ts";
import type { RunRequest } from "./start-run.ts";

export function createRerun({ plans, runs, startRun }: Pick<App, "plans" | "runs" | "startRun">) {
  /**
   * @returns id of the new run
   * @throws MlpipeError `NotFound` when there is no such run or node, `Conflict` while the run has not ended, `InvalidRequest`
   */
  return async function rerun(
    client: DurableClient,
    runId: string,
    request: RerunRequest,
    idempotencyKey: string | undefined,
  ): Promise<string> {
    const before = await runs.get(client, runId);
    if (!runStatusFacts[before.status].isTerminal)
      throw new MlpipeError("Conflict", `Run ${runId} has not ended: wait for its end, or cancel it first`);
    const [{ plan: old }, started] = await Promise.all([plans.get(runId), plans.request(runId)]);
    const asked = merge(started, request);
    const plan = request.inputs === undefined ? old : (await startRun.compile(required(asked, runId))).plan;
    const mustRun = nodesThatRun(plan, before, request);
    const { mustRun: _others, continues: _before, ...same } = plan;
    const displayName = request.displayName ?? plan.displayName;
    const maxCost = request.maxCost ?? plan.settings.maxCost;
    const rerunPlan: Plan = {
      ...same,
      settings: { ...plan.settings, ...(maxCost === undefined ? {} : { maxCost }) },
      ...(displayName === undefined ? {} : { displayName }),
      continues: { runId, takesOver: request.from !== undefined && request.force !== true },
      ...(mustRun.length === 0 ? {} : { mustRun }),
    };
    return startRun.startPlan(client, rerunPlan, asked, idempotencyKey);
  };
}

/** What the earlier run was started with, and what is asked for now. */
function merge(
  started: RunRequest | undefined,
  { inputs, displayName, maxCost }: RerunRequest,
): RunRequest | undefined {
  if (started === undefined) return undefined;
  return {
    ...started,
    inputs: { ...started.inputs, ...inputs },
    ...(displayName === undefined ? {} : { displayName }),
    ...(maxCost === undefined ? {} : { maxCost }),
  };
}

function required(request: RunRequest | undefined, runId: string): RunRequest {
  if (request !== undefined) return request;
  throw new MlpipeError(
    "InvalidRequest",
    `inputs: it is not known what run ${runId} was started with; start a new run instead`,
  );
}

function nodesThatRun(plan: Plan, before: RunDocument, { from, force }: RerunRequest): string[] {
  if (force === true) return plan.nodes.map(({ name }) => name);
  if (from === undefined) return [];
  if (from === "failed") {
    if (before.nodes.some(({ status }) => !nodeStatusFacts[status].isSuccess)) return [];
    throw new MlpipeError(
      "InvalidRequest",
      `from: every node of run ${before.runId} has completed; name the node to run again from, or leave it out`,
    );
  }
  // The nodes of a sub-pipeline are named by its own name and theirs.
  const chosen = plan.nodes.filter(({ name }) => name === from || name.startsWith(`${from}.`)).map(({ name }) => name);
  if (chosen.length === 0) {
    const names = plan.nodes.map(({ name }) => name).join(", ");
    throw new MlpipeError("NotFound", `from: the run has no node ${from}; it has ${names.slice(0, 500)}`);
  }
  const all = new Set(chosen);
  // In plan order a node comes after all that it reads from.
  for (const { name, dependsOn } of graphOf(plan).nodes)
    if (dependsOn.some((upstream) => all.has(upstream))) all.add(name);
  return [...all];
}
