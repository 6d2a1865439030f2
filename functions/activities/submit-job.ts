// Submits a node's command job, once: the job's name is made of run, node and attempt, so a second submission finds the first.
import { createHash } from "node:crypto";
import type { SubmitInput, SubmitOutput } from "#orchestrations/activities.ts";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { withEndMarker, endMarkerOutput } from "#shared/domain/end-marker.ts";
import { jobCommand } from "#shared/domain/job-command.ts";
import { jobName } from "#shared/domain/job-name.ts";
import { endMarkerPath } from "#shared/domain/layout.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import type { PlanNode } from "#shared/domain/plan.ts";
import { outputModes } from "#shared/domain/data-types.ts";
import { isMlpipeError, MlpipeError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { Plans } from "#shared/plans.ts";
import type { Assets } from "../assets.ts";
import type { CostLedgers } from "../cost/cost-ledgers.ts";
import { resolveInputs, toJobInputs } from "../job-inputs.ts";
import { toDistribution, toIdentity, toQueueSettings, toServices } from "../job-settings.ts";
import type { OutputText } from "../output-text.ts";

/** Property of a job that holds the hash of what was asked for: how we know a job of the same name for ours. */
const requestProperty = "mlpipe.request";

export interface SubmitClients {
  readonly ml: Ml;
  readonly blobs: Blobs;
  readonly plans: Plans;
  readonly assets: Assets;
  readonly readOutputText: OutputText;
  readonly costs: Pick<CostLedgers, "isClosed">;
  /** Tells this app's jobs from those of another on the same workspace. */
  readonly deployment: string | undefined;
  readonly log: Log;
}

/** The body of `prep`, `train`, `score` and `submitJob`. */
export function createSubmitJob({ ml, blobs, plans, assets, readOutputText, costs, deployment, log }: SubmitClients) {
  return async function submitJob(input: SubmitInput): Promise<SubmitOutput> {
    const { plan } = await plans.get(input.runId);
    const planned = planNodeOf(plan, input.node);
    if (planned === undefined) return { kind: "rejected", reason: `the plan has no node ${input.node}` };
    const node = withTrialValues(planned, input.trial?.values);
    const name = jobName(input.runId, input.node, input.attempt);
    try {
      if (plan.settings.maxCost !== undefined && (await costs.isClosed(input.runId, name)))
        return { kind: "refused", reason: "nobody waits for this job any more" };
      const body = await toJob(node, plan.experimentName, input);
      const request = createHash("sha256").update(JSON.stringify(body)).digest("hex");
      const answer = await ml.putJob(name, {
        ...body,
        properties: { ...body.properties, [requestProperty]: request },
      });
      switch (answer.kind) {
        case "accepted":
          log.info(
            {
              runId: input.runId,
              node: input.node,
              jobName: name,
              instanceType: input.instanceType,
            },
            "job submitted",
          );
          return {
            kind: "submitted",
            jobName: name,
            jobStatus: answer.job.properties.status ?? "NotStarted",
          };
        case "exists":
          return await takeUp(name, request);
        case "refused":
        case "rejected":
          log.warn(
            {
              runId: input.runId,
              node: input.node,
              jobName: name,
              instanceType: input.instanceType,
              reason: answer.reason,
            },
            "job refused",
          );
          return answer;
      }
    } catch (error) {
      if (!isMlpipeError(error)) throw error;
      if (error.code !== "Unavailable") return { kind: "rejected", reason: error.message };
      const { message: reason, retryAfterSeconds } = error;
      return { kind: "unavailable", reason, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    }
  };

  /** A job of this name exists: ours when it was asked for with the same words. */
  async function takeUp(name: string, request: string): Promise<SubmitOutput> {
    const job = await ml.getJob(name);
    if (job === undefined)
      throw new MlpipeError("Unavailable", `Azure ML says that job ${name} exists and does not show it`);
    if (job.properties.properties?.[requestProperty] === request) {
      return { kind: "submitted", jobName: name, jobStatus: job.properties.status ?? "NotStarted" };
    }
    return { kind: "rejected", reason: `the workspace has another job named ${name}` };
  }

  async function toJob(node: PlanNode, experimentName: string, input: SubmitInput) {
    const [codeId, environmentId] = await Promise.all([
      assets.codeId(node.code),
      assets.environmentId(node.environment),
    ]);
    const inputs = await resolveInputs(node.inputs, input.upstream, readOutputText);
    // One without a value is told of, too: it takes its optional part of the command with it.
    const command = jobCommand(
      node.command,
      Object.fromEntries(Object.keys(node.inputs).map((name) => [name, inputs[name]])),
    );
    const { instanceCount, shmSize, dockerArgs, properties } = node.resources;
    const ownProperties =
      properties === undefined
        ? undefined
        : Object.fromEntries(Object.entries(properties).filter(([key]) => key !== "mlpipe"));
    return withoutUndefined({
      jobType: "Command",
      displayName: node.displayName ?? node.name,
      experimentName,
      tags: {
        ...node.tags,
        "mlpipe.run": input.runId,
        "mlpipe.node": input.node,
        ...(deployment === undefined ? {} : { "mlpipe.deployment": deployment }),
      },
      properties: { "mlpipe.attempt": String(input.attempt) } as Record<string, string>,
      command: withEndMarker(command),
      codeId,
      environmentId,
      computeId: node.compute === undefined ? undefined : assets.computeId(node.compute),
      environmentVariables: node.environmentVariables,
      inputs: toJobInputs(inputs),
      outputs: await toJobOutputs(node, input),
      resources: withoutUndefined({
        instanceType: input.instanceType,
        instanceCount,
        shmSize,
        dockerArgs,
        properties: ownProperties !== undefined && Object.keys(ownProperties).length > 0 ? ownProperties : undefined,
      }),
      limits: toLimits(Math.min(node.timeoutSeconds ?? Infinity, input.ceilingSeconds ?? Infinity)),
      distribution: node.distribution === undefined ? undefined : toDistribution(node.distribution),
      identity: node.identity === undefined ? undefined : toIdentity(node.identity),
      services: node.services === undefined ? undefined : toServices(node.services),
      queueSettings: toQueueSettings(node, input.isDedicated),
    });
  }

  async function toJobOutputs(node: PlanNode, input: SubmitInput): Promise<Record<string, unknown>> {
    const outputs: Record<string, unknown> = {};
    for (const [name, output] of Object.entries(node.outputs)) {
      // The service makes it; nobody may place it.
      if (output.isArtifacts === true) continue;
      const uri = await assets.outputUri(node, name, input);
      outputs[name] = {
        jobOutputType: output.type,
        mode: outputModes[output.mode],
        uri,
        ...(output.assetName === undefined ? {} : { assetName: output.assetName }),
        ...(output.assetVersion === undefined ? {} : { assetVersion: output.assetVersion }),
      };
    }
    const marker = await blobs.uriOf(endMarkerPath(input));
    outputs[endMarkerOutput] = {
      jobOutputType: "uri_file",
      mode: outputModes.rw_mount,
      uri: marker,
    };
    return outputs;
  }
}

function toLimits(seconds: number) {
  return Number.isFinite(seconds) ? { jobLimitsType: "Command", timeout: `PT${seconds}S` } : undefined;
}

/** The node with the values that a sweep chose for this trial. */
function withTrialValues(node: PlanNode, values: Record<string, string> | undefined): PlanNode {
  if (values === undefined) return node;
  const chosen = Object.entries(values).map(([name, value]) => [name, { kind: "literal", value }] as const);
  return { ...node, inputs: { ...node.inputs, ...Object.fromEntries(chosen) } };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
