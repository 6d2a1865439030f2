import { fieldOf } from "../issue-list.ts";
import type { PlanCompiler, Step } from "../pipeline-scope.ts";

/** The compute that a node names, or else its pipeline; undefined for serverless. */
export function computeOf(own: string | undefined, step: Step, { list }: PlanCompiler): string | undefined {
  const named = (own ?? step.scope.defaultCompute)?.replace(/^azureml:(?!\/)/, "");
  if (named === "local")
    list.error(
      fieldOf(step.path, step.node, "compute"),
      "`local` is no compute of a workspace; leave it out, or write `azureml:serverless`",
    );
  return named === "serverless" ? undefined : named?.replace(/^azureml:(?=\/)/, "");
}
