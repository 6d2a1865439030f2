import type { PlanNode } from "./plan.ts";

/** Kinds of distribution whose processes begin once all of them are there. A TensorFlow worker goes by what it is told of the others. */
const meeting = new Set(["pytorch", "mpi", "ray"]);

/**
 * Completes «it is ...» for a job that would wait for machines it never gets; undefined for every other.
 *
 * @param most machines that one such job may have; any number when undefined
 */
export function machinesRefusal({ distribution, resources }: PlanNode, most: number | undefined): string | undefined {
  const type = typeof distribution?.["type"] === "string" ? distribution["type"].toLowerCase() : "";
  const { instanceCount } = resources;
  if (most === undefined || instanceCount <= most || !meeting.has(type)) return undefined;
  const given = most === 1 ? "one machine" : `${most} machines`;
  return `a job of ${instanceCount} machines that wait for each other (${type}), and a job gets ${given} here: say \`resources.instance_count: ${most}\``;
}
