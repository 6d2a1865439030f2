// The activities of control flow over a store in memory.
import { createOutputText } from "#functions/output-text.ts";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import { formatIssue } from "#shared/errors.ts";
import type { Plans } from "#shared/plans.ts";

const root = "azureml://datastores/store/paths/";
export const at = (path: string) => `${root}${path}`;

/** @param files what lies in the store, by path */
export function createControlWorld(files: Readonly<Record<string, string>> = {}) {
  const stored = new Map(Object.entries(files));
  // The activities use no more of the clients than this.
  const blobs = {
    size: (path: string) => Promise.resolve(stored.has(path) ? Buffer.byteLength(stored.get(path) ?? "") : undefined),
    readText: (path: string) => Promise.resolve(stored.get(path)),
    writeText: (path: string, text: string) => Promise.resolve(void stored.set(path, text)),
    uriOf: (path: string) => Promise.resolve(at(path)),
  } as unknown as Blobs;
  const ml = {
    workspaceId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w",
  } as unknown as Ml;
  return { stored, blobs, ml, readOutputText: createOutputText({ blobs }) };
}

/** The plan of a pipeline of these jobs, as the activities find it. */
export async function plansOf(jobs: Record<string, unknown>): Promise<Plans> {
  const { document } = await parsePipeline({ type: "pipeline", jobs });
  const result = await compilePlan(document ?? { type: "pipeline" }, { inputs: {} });
  if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
  const stored = { requestHash: "", createdTime: "", plan: result.plan };
  return { get: () => Promise.resolve(stored) } as unknown as Plans;
}

export const environment = "azureml:e:1";
