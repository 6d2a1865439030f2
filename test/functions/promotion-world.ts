// Runs that want their models registered, over a workspace in memory: as strict about versions as the real one, and able to fail at
// any of its writes, before it has taken them or after.
import type { DurableClient } from "durable-functions";
import type { App } from "#functions/app.ts";
import { createJudge } from "#functions/promotion/judge.ts";
import { createRegister } from "#functions/promotion/register.ts";
import type { Models, NewModel } from "#shared/azure/models.ts";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import type { Plan } from "#shared/domain/plan.ts";
import type { Promotion } from "#shared/domain/promotion/promotion.ts";
import { newestFirst, type RegisteredModel } from "#shared/domain/promotion/registered-model.ts";
import { formatIssue } from "#shared/errors.ts";
import { createLog } from "#shared/log.ts";

export interface Candidate {
  readonly runId: string;
  readonly accuracy: number | undefined;
  /** Of the model's files; its own for every run unless given. */
  readonly content?: string;
  /** Of the test data. */
  readonly data?: string;
}

const shell = (more: object) => ({ command: "echo", environment: { image: "busybox" }, ...more });
const folder = { type: "uri_folder" };

export async function planOf(rules: readonly object[], more: object = {}): Promise<Plan> {
  const promote = { model: "${{parent.jobs.train.outputs.model}}", name: "digits", rules, ...more };
  const { document, issues } = await parsePipeline({
    type: "pipeline",
    name: "p",
    settings: { mlpipe: { promote } },
    jobs: {
      prep: shell({
        inputs: { images: { type: "uri_folder", path: "azureml://datastores/d/paths/images/" } },
        outputs: { table: folder },
      }),
      train: shell({ inputs: { table: "${{parent.jobs.prep.outputs.table}}" }, outputs: { model: folder } }),
      score: shell({
        inputs: {
          model: "${{parent.jobs.train.outputs.model}}",
          table: "${{parent.jobs.prep.outputs.table}}",
        },
      }),
    },
  });
  if (document === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  const { plan, ...rest } = await compilePlan(document, { inputs: {} });
  if (plan === undefined) throw new Error(JSON.stringify(rest));
  return plan;
}

export function createWorld(plan: Plan) {
  const versions = new Map<string, RegisteredModel>();
  const jobs = new Map<string, number | undefined>();
  const contents = new Map<string, string>();
  const instances = new Map<string, { runtimeStatus: string; output?: unknown }>();
  let writes = 0;
  let clock = 0;
  /** Number of the write that fails, and whether the workspace has taken it. */
  let fault: { at: number; isTaken: boolean } | undefined;

  /** Everybody else may come in between. */
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * 3));

  async function write(take: () => void): Promise<void> {
    await pause();
    writes += 1;
    const isFailing = fault?.at === writes;
    if (!isFailing || fault?.isTaken === true) take();
    await pause();
    if (isFailing) throw new Error("the process was killed");
  }

  const models = {
    async versions() {
      await pause();
      return [...versions.values()].toSorted(newestFirst);
    },
    async create(name: string, version: string, model: NewModel) {
      let isTaken = false;
      await write(() => {
        isTaken = versions.has(version);
        if (isTaken) return;
        clock += 1;
        const createdTime = new Date(clock * 1000).toISOString();
        const { jobName, ...rest } = model;
        versions.set(version, {
          ...rest,
          name,
          version,
          createdTime,
          isArchived: false,
          ...(jobName === undefined ? {} : { jobName }),
        });
      });
      return { kind: isTaken ? "taken" : "created" };
    },
    async tag({ version }: RegisteredModel, tags: Record<string, string>) {
      const found = versions.get(version);
      await write(() => {
        if (found !== undefined) versions.set(version, { ...found, tags: { ...found.tags, ...tags } });
      });
    },
  } as unknown as Models;

  const client = {
    getStatus: (id: string) => {
      const found = instances.get(id);
      return found === undefined ? Promise.reject(new Error("404: no instance")) : Promise.resolve(found);
    },
  } as unknown as DurableClient;

  const ended = (runId: string, node: string, outputs: object = {}) => {
    const time = "2026-01-05T10:00:00.000Z";
    const jobName = `${runId}-${node}`;
    const output = {
      status: "completed",
      node,
      attempt: 1,
      refused: [],
      startTime: time,
      endTime: time,
      jobName,
      outputs,
    };
    instances.set(`${runId}:${node}`, { runtimeStatus: "Completed", output });
    return jobName;
  };

  const app = {
    models,
    plans: { get: () => Promise.resolve({ plan, requestHash: "", createdTime: "" }) },
    ml: {
      workspaceId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w",
      mlflow: (path: string) => {
        const job = new URLSearchParams(path.slice(path.indexOf("?"))).get("run_id") ?? "";
        const value = jobs.get(job);
        // What is no number travels as text.
        const told = Number.isFinite(value) ? value : String(value);
        const metrics = value === undefined ? [] : [{ key: "accuracy", value: told, timestamp: 1, step: 0 }];
        return Promise.resolve(jobs.has(job) ? { run: { data: { metrics, params: [] } } } : undefined);
      },
    },
    data: {
      identify: ({ uri }: { uri: string }) => {
        const content = contents.get(uri);
        if (content === undefined) return Promise.resolve({ unknown: "nobody knows" });
        const files = content === "" ? [] : [{ path: "model", size: 1, etag: "" }];
        return Promise.resolve({ identity: `content:${content}`, files });
      },
      identifyMade: ({ uri }: { uri: string }) =>
        Promise.resolve({ identity: `content:${contents.get(uri) ?? uri}`, files: [] }),
    },
    assets: { environmentId: () => Promise.resolve("e") },
    memory: { reusedBy: () => Promise.resolve([]) },
    log: createLog("error"),
    // The two activities use no more of the app than this.
  } as unknown as App;
  const judge = createJudge(app);
  const register = createRegister(app);

  const upstreamOf = ({ runId, data = "test data" }: Candidate) => ({
    "train.model": `azureml://datastores/d/paths/mlpipe/runs/${runId}/train/1/model/`,
    "prep.table": `azureml://datastores/d/paths/${data}/`,
  });

  return {
    versions,
    judge,
    register,
    client,

    /** A run whose nodes have ended. */
    add(candidate: Candidate): { runId: string; node: string; upstream: Record<string, string> } {
      const { runId, accuracy, content = `model of ${runId}`, data = "test data" } = candidate;
      const upstream = upstreamOf(candidate);
      contents.set(upstream["train.model"], content);
      contents.set(upstream["prep.table"], data);
      contents.set("azureml://datastores/d/paths/images/", "images");
      ended(runId, "train");
      jobs.set(ended(runId, "score"), accuracy);
      return { runId, node: "promote", upstream };
    },

    /** The champion has been scored on a run's own data. */
    score(runId: string, node: string, accuracy: number | undefined): void {
      jobs.set(ended(runId, node), accuracy);
    },

    /** Scoring the champion has come to nothing. */
    fail(runId: string, node: string, reason: string): void {
      jobs.set(ended(runId, node), undefined);
      const instance = instances.get(`${runId}:${node}`);
      instances.set(`${runId}:${node}`, {
        runtimeStatus: "Completed",
        output: { ...(instance?.output as object), status: "failed", failure: { reason } },
      });
    },

    /** As the run's orchestration does it: until no other champion has come in between. */
    async promote(candidate: Candidate): Promise<Promotion> {
      const request = this.add(candidate);
      for (;;) {
        const judged = await judge(request, client);
        if (judged.kind === "unscored") throw new Error("the champion has to be scored");
        const { promotion, compared } = judged;
        if (!judged.isPassed) return { ...promotion, outcome: "not-promoted" };
        const done = await register({ ...request, promotion, compared }, client);
        if (done.kind === "refused") throw new Error(done.reason);
        if (done.kind !== "moved") return { ...promotion, outcome: done.kind, version: done.version };
      }
    },

    /** Fails at the k-th write from now on. */
    failAt(at: number | undefined, isTaken = false): void {
      writes = 0;
      fault = at === undefined ? undefined : { at, isTaken };
    },
    writes: () => writes,

    champions: () => [...versions.values()].filter(({ tags }) => tags["stage"] === "production"),
  };
}
