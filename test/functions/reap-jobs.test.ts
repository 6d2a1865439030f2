import type { DurableClient } from "durable-functions";
import { describe, expect, test } from "vitest";
import type { App } from "#functions/app.ts";
import { reapJobs } from "#functions/timer/reap-jobs.ts";
import type { ListedJob } from "#shared/azure/ml.ts";
import { createLog } from "#shared/log.ts";

const now = new Date("2026-01-05T10:05:30.000Z");

function job(name: string, changes: Partial<ListedJob> = {}): ListedJob {
  return {
    name,
    status: "Running",
    createdTime: new Date("2026-01-05T09:00:00.000Z"),
    tags: { "mlpipe.run": "r1", "mlpipe.node": name, "mlpipe.deployment": "here" },
    properties: { "mlpipe.attempt": "1" },
    ...changes,
  };
}

interface World {
  readonly jobs?: readonly ListedJob[];
  /** Instance id -> its status and what it tells. */
  readonly instances?: Readonly<Record<string, { runtimeStatus: string; attempt?: number }>>;
  readonly holders?: Readonly<Record<"runs" | "jobs", string[]>>;
  readonly deployment?: string | undefined;
}

async function reap({ jobs = [], instances = {}, holders, ...rest }: World) {
  const canceled: string[] = [];
  const released: [string, readonly string[]][] = [];
  const lookedBack: Date[] = [];
  const app = {
    deployment: "deployment" in rest ? rest.deployment : "here",
    log: createLog("error"),
    ml: {
      async *listTaggedJobs(_tag: string, since: Date) {
        lookedBack.push(since);
        await Promise.resolve();
        yield* jobs;
      },
      cancelJob(name: string) {
        canceled.push(name);
        return Promise.resolve();
      },
    },
    slots: {
      holders: (kind: "runs" | "jobs") => Promise.resolve(holders?.[kind] ?? []),
      release(kind: string, dead: readonly string[]) {
        released.push([kind, dead]);
        return Promise.resolve();
      },
    },
  };
  const client = {
    getStatus(id: string) {
      const found = instances[id];
      if (found === undefined) return Promise.reject(new Error("HTTP 404: no instance"));
      const customStatus =
        found.attempt === undefined ? null : { attempt: found.attempt, refused: [], startTime: now.toISOString() };
      return Promise.resolve({ runtimeStatus: found.runtimeStatus, customStatus });
    },
  };
  // The function uses no other members of the app and the client.
  const timer = reapJobs(app as unknown as App);
  await timer.handle(client as unknown as DurableClient, now);
  return { canceled, released, lookedBack };
}

describe("jobs without a live run", () => {
  test("are cancelled: of an instance that ended, was purged, or has gone on to another attempt", async () => {
    const { canceled } = await reap({
      jobs: [job("ended"), job("purged"), job("older"), job("live")],
      instances: {
        "r1:ended": { runtimeStatus: "Completed" },
        "r1:older": { runtimeStatus: "Running", attempt: 2 },
        "r1:live": { runtimeStatus: "Running", attempt: 1 },
      },
    });
    expect(canceled).toEqual(["ended", "purged", "older"]);
  });

  test("are left alone when they are done, very young, another app's, or nobody's that is known", async () => {
    const { canceled } = await reap({
      jobs: [
        job("completed", { status: "Completed" }),
        job("stopping", { status: "CancelRequested" }),
        job("young", { createdTime: new Date(now.getTime() - 1000) }),
        job("foreign", { tags: { "mlpipe.run": "r1", "mlpipe.node": "foreign", "mlpipe.deployment": "there" } }),
        job("old_app", { tags: { "mlpipe.run": "r1", "mlpipe.node": "old_app" } }),
      ],
    });
    expect(canceled).toEqual([]);
  });

  test("are left alone by an app that cannot tell its own", async () => {
    const { canceled, lookedBack } = await reap({ jobs: [job("a")], deployment: undefined });
    expect([canceled, lookedBack]).toEqual([[], []]);
  });

  test("of a node that submits its next attempt are its own", async () => {
    const { canceled } = await reap({
      jobs: [job("a", { properties: { "mlpipe.attempt": "3" } })],
      instances: { "r1:a": { runtimeStatus: "Running", attempt: 2 } },
    });
    expect(canceled).toEqual([]);
  });
});

test("slots of holders that have ended are given on", async () => {
  const { released } = await reap({
    holders: { runs: ["r1", "r2"], jobs: ["r1:a"] },
    instances: {
      r1: { runtimeStatus: "Running" },
      r2: { runtimeStatus: "Terminated" },
      "r1:a": { runtimeStatus: "Running" },
    },
  });
  expect(released).toEqual([["runs", ["r2"]]]);
});
