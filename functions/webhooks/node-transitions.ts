// What webhooks are told of a node.
import type { NodeResult, ReusedResult } from "#shared/domain/node-result.ts";
import type { Plan } from "#shared/domain/plan.ts";
import type { Transition } from "./notifications.ts";

export function startOf(runId: string, plan: Plan, node: string): Transition {
  const time = new Date().toISOString();
  return { type: "node.started", time, data: { ...about(runId, plan), status: "running", node, startTime: time } };
}

export function toTransition(runId: string, plan: Plan, result: NodeResult | ReusedResult): Transition {
  const { status, node, attempt, jobName, startTime, endTime } = result;
  const reason = "failure" in result ? result.failure?.reason : undefined;
  return {
    type: `node.${status}`,
    time: endTime,
    data: {
      ...about(runId, plan),
      status,
      node,
      attempt,
      startTime,
      endTime,
      ...(jobName === undefined ? {} : { jobName }),
      ...(reason === undefined ? {} : { failure: { node, reason } }),
    },
  };
}

function about(runId: string, { pipeline, displayName }: Plan) {
  return { runId, pipeline, ...(displayName === undefined ? {} : { displayName }) };
}
