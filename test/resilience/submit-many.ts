// Many submissions to a workspace that takes jobs and loses its replies: through the activity's own body and the official client,
// as the orchestration calls it, to a workspace whose jobs end at once.
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createAssets } from "#functions/assets.ts";
import { createSubmitJob } from "#functions/activities/submit-job.ts";
import type { SubmitOutput } from "#orchestrations/activities.ts";
import type { FaultsInput } from "#local/azureml/faults.ts";
import { createBlobs } from "#shared/azure/blob.ts";
import { createMlClient } from "#shared/azure/ml-client.ts";
import { createMl } from "#shared/azure/ml.ts";
import { Plan } from "#shared/domain/plan.ts";
import { createLog } from "#shared/log.ts";
import type { Plans } from "#shared/plans.ts";
import { createFakeExecutor } from "../local/azureml/fake-executor.ts";
import {
  group,
  startBlobStore,
  startTestWorkspace,
  subscriptionId,
  token,
  workspaceName,
} from "../local/azureml/start-test-workspace.ts";

export interface Submissions {
  readonly submitted: number;
  /** Answers that were neither: the job was refused, or given up. */
  readonly others: readonly SubmitOutput[];
  /** Name of every job that the workspace ran, as often as it did. */
  readonly executed: readonly string[];
  /** PUTs that reached the workspace. */
  readonly puts: number;
}

const plan = Plan.parse({
  pipeline: "many",
  experimentName: "many",
  tags: {},
  settings: { continueOnStepFailure: false, forceRerun: false },
  nodes: [
    {
      name: "one",
      kind: "command",
      component: { name: "one" },
      command: "true",
      environment: { kind: "inline", image: "busybox" },
      inputs: {},
      outputs: {},
      environmentVariables: {},
      resources: { instanceTypes: [], instanceCount: 1 },
      tags: {},
      isDeterministic: true,
      forceRerun: false,
    },
  ],
  outputs: {},
});

/**
 * @param count jobs to submit, each once
 * @param atOnce submissions on their way at any moment
 * @param doubled share of them that are submitted twice, as an activity is whose host died after its work
 */
export async function submitMany(
  { count, atOnce, doubled }: { count: number; atOnce: number; doubled: number },
  faults: FaultsInput,
): Promise<Submissions> {
  const store = await startBlobStore();
  const executor = createFakeExecutor();
  const env = await startTestWorkspace(store, { maxConcurrent: 1000 }, executor);
  try {
    setDefaultCACertificates([...getCACertificates("default"), readFileSync(env.workspace.caFile, "utf8")]);
    const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const endpoint = { endpoint: env.workspace.url, audience: "https://management.azure.com" };
    const workspace = { subscriptionId, resourceGroup: group, workspaceName };
    const ml = createMl(createMlClient({ workspace, resourceManager: endpoint }, credential));
    const blobs = createBlobs(ml, credential);
    const submit = createSubmitJob({
      ml,
      blobs,
      assets: createAssets({ ml, blobs }),
      // Every run has the same plan, and no node reads another's output.
      plans: { get: () => Promise.resolve({ plan }) } as unknown as Plans,
      readOutputText: () => Promise.reject(new Error("no node reads another's output")),
      costs: { isClosed: () => Promise.resolve(false) },
      deployment: "here",
      log: createLog("error"),
    });
    await env.send({ method: "POST", path: "/_embedded/faults", body: faults });

    let next = 0;
    let submitted = 0;
    const others: SubmitOutput[] = [];
    const submitOne = async (index: number) => {
      const input = { runId: `run_${index}`, node: "one", attempt: 1, upstream: {} };
      // What the orchestration does with an answer that does not say whether the job was taken.
      for (let tries = 0; ; tries += 1) {
        const answer = await submit(input);
        if (answer.kind === "unavailable" && tries < 1000) {
          await new Promise((resolve) => setTimeout(resolve, (answer.retryAfterSeconds ?? 1) * 1000));
          continue;
        }
        return answer;
      }
    };
    const worker = async () => {
      for (let index = next++; index < count; index = next++) {
        const isDoubled = index < count * doubled;
        const answers = await Promise.all([submitOne(index), ...(isDoubled ? [submitOne(index)] : [])]);
        if (answers.every(({ kind }) => kind === "submitted")) submitted += 1;
        else others.push(...answers.filter(({ kind }) => kind !== "submitted"));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const counters = (await env.send({ path: "/_embedded/counters" })).body as { calls: Record<string, number> };
    const executed = executor.executions.map(({ jobName }) => jobName);
    return { submitted, others, executed, puts: counters.calls["jobs.put"] ?? 0 };
  } finally {
    await env.stop();
    await store.stop();
  }
}
