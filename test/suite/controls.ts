// The embedded stack's own doors, `/_embedded/...`: what was asked of the workspace, what was written, and trouble on demand.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { z } from "zod";
import type { CountersSnapshot } from "#local/azureml/counters.ts";
import type { FaultsInput } from "#local/azureml/faults.ts";
import type { EventFaults } from "#local/event-faults.ts";
import type { Stack } from "#local/stack.ts";

interface CommittedBlob {
  readonly container: string;
  readonly blob: string;
  readonly committedAtMs: number;
}

/** The embedded workspace as an ARM id. */
export const workspacePath =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/embedded/providers/Microsoft.MachineLearningServices/workspaces/mlpipe";

export type Controls = ReturnType<typeof createControls>;

/** @param stack a running one; its doors answer only with its token */
export function createControls({ workspace, storage }: Pick<Stack, "workspace" | "storage">) {
  const ca = readFileSync(workspace.caFile, "utf8");
  const authorization = `Bearer ${workspace.token}`;

  async function askWorkspace(method: string, path: string, body?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const url = new URL(path.startsWith("/") ? path : `/_embedded/${path}`, workspace.url);
      const headers = { authorization, "content-type": "application/json" };
      const sent = request(url, { method, ca, headers, agent: false, timeout: 20_000 }, (answer) => {
        answer.toArray().then((chunks) => {
          const text = Buffer.concat(chunks).toString();
          if ((answer.statusCode ?? 0) >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
          else resolve(text === "" ? undefined : JSON.parse(text));
        }, reject);
      });
      sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer within 20 s`)));
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async function askStorage(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${storage.url}/_embedded/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  return {
    /** What the workspace was asked since it started. */
    counters: async () => (await askWorkspace("GET", "counters")) as CountersSnapshot,

    /** Every PUT of a job of `runId` since the workspace started. */
    async jobPuts(runId: string) {
      const { jobPuts } = (await askWorkspace("GET", "counters")) as CountersSnapshot;
      return jobPuts.filter(({ jobName }) => jobName.startsWith(`${runId}-`));
    },

    /** The statuses a job went through. */
    job: async (jobName: string) =>
      (await askWorkspace("GET", `jobs/${jobName}`)) as {
        statuses: { status: string; at: string }[];
        failure: unknown;
      },

    /** A resource of the embedded workspace as Azure Resource Manager tells it. @param path below the workspace */
    resource: async (path: string) =>
      (await askWorkspace("GET", `${workspacePath}/${path}?api-version=2024-04-01`)) as {
        id: string;
        properties: Record<string, unknown>;
      },

    /** Replaces all of the workspace's faults; none by default. */
    setWorkspaceFaults: (faults: FaultsInput = {}) => askWorkspace("POST", "faults", faults),

    /** Replaces what befalls the events of blobs; nothing by default. */
    setEventFaults: (faults: z.input<typeof EventFaults> = {}) => askStorage("POST", "faults", faults),

    /** The last blobs written, oldest first. */
    commits: async () => ((await askStorage("GET", "commits")) as { commits: CommittedBlob[] }).commits,
  };
}
