// What becomes of a node: sizes, limits, failures, cancels.
import { describe, expect, test } from "vitest";
import { RunDocument } from "#shared/api.ts";
import { appending, onEmbedded, nodeOf, shell, sharedApp, writing } from "./app.ts";

const { app, controls } = sharedApp();
const result = { outputs: { result: { type: "uri_folder" } } };
const statuses = (run: RunDocument) => Object.fromEntries(run.nodes.map(({ name, status }) => [name, status]));
const cancel = (runId: string, body: object = {}) => app.call(`runs/${runId}/cancel`, { method: "POST", body });

describe("a node that asks for a size", () => {
  const sized = (instance_type: string, more: object = {}) => writing("x", { resources: { instance_type, ...more } });

  test(
    "falls back along its list and says which it got and why not the others",
    onEmbedded(controls, async (embedded) => {
      await embedded.setWorkspaceFaults({
        sizes: { Standard_NC6s_v3: "NoSuchSize", Standard_NC4as_T4_v3: "NoQuota" },
      });
      const run = await app.ended((await app.start({ node: sized("Standard_NC6s_v3") })).runId);
      await embedded.setWorkspaceFaults();
      expect(run.status).toBe("completed");
      const node = nodeOf(run, "node");
      expect(node).toMatchObject({ attempt: 3, instanceType: "Standard_NC24ads_A100_v4" });
      expect(node.refusedInstanceTypes).toEqual([
        { instanceType: "Standard_NC6s_v3", reason: expect.stringContaining("not a supported VM size") },
        { instanceType: "Standard_NC4as_T4_v3", reason: expect.stringContaining("quota") },
      ]);
      expect((await embedded.jobPuts(run.runId)).map(({ status }) => status)).toEqual([400, 400, 201]);
      expect(await app.read(run.runId, "node", "result", "text")).toBe("x");
    }),
  );

  test(
    "fails with every refusal when none of its list can be had",
    onEmbedded(controls, async (embedded) => {
      await embedded.setWorkspaceFaults({
        sizes: { Standard_DS3_v2: "NoSuchSize", Standard_DS4_v2: "NoQuota" },
      });
      const properties = { mlpipe: { instance_type_fallbacks: ["Standard_DS4_v2"] } };
      const run = await app.ended((await app.start({ node: sized("Standard_DS3_v2", { properties }) })).runId);
      await embedded.setWorkspaceFaults();
      expect(run.status).toBe("failed");
      const node = nodeOf(run, "node");
      expect(node.status).toBe("failed");
      expect(node.refusedInstanceTypes?.map(({ instanceType }) => instanceType)).toEqual([
        "Standard_DS3_v2",
        "Standard_DS4_v2",
      ]);
      expect(node.failure?.reason).toMatch(/Standard_DS3_v2: .*not a supported.*Standard_DS4_v2: .*quota/);
      expect(run.failure?.node).toBe("node");
    }),
  );

  test(
    "falls back as well when there is no machine after the job was taken",
    onEmbedded(controls, async (embedded) => {
      await embedded.setWorkspaceFaults({ sizes: { Standard_DS3_v2: "NoCapacityLater" } });
      const properties = { mlpipe: { instance_type_fallbacks: ["Standard_DS4_v2"] } };
      const run = await app.ended((await app.start({ node: sized("Standard_DS3_v2", { properties }) })).runId);
      await embedded.setWorkspaceFaults();
      expect(run.status).toBe("completed");
      expect(nodeOf(run, "node")).toMatchObject({ attempt: 2, instanceType: "Standard_DS4_v2" });
      expect(nodeOf(run, "node").refusedInstanceTypes).toEqual([
        { instanceType: "Standard_DS3_v2", reason: expect.stringMatching(/capacity/) },
      ]);
    }),
  );
});

describe("a node's settings", () => {
  test("that the service knows by other words reach the job", async () => {
    const node = writing("x", {
      display_name: "With settings",
      environment_variables: { GREETING: "hello $HOME" },
      distribution: { type: "pytorch", process_count_per_instance: 1 },
      identity: { type: "user_identity" },
      queue_settings: { job_tier: "standard" },
      services: { board: { type: "tensor_board", log_dir: "logs" } },
      resources: { instance_count: 1, shm_size: "1g" },
      limits: { timeout: 600 },
    });
    const run = await app.ended((await app.start({ node })).runId);
    expect(run.failure).toBeUndefined();
    expect(run.status).toBe("completed");
  });
});

describe("a node that fails", () => {
  test("tells its exit code and the end of its log, and what depends on it never starts", async () => {
    const command = `for i in $(seq 40); do echo "line $i"; done; echo "boom: sig=secret?sig=abc" >&2; exit 3`;
    const jobs = { bad: shell(command, result), after: appending("bad", "x"), last: appending("after", "y") };
    const run = await app.ended((await app.start(jobs)).runId);
    expect(run.status).toBe("failed");
    expect(statuses(run)).toEqual({ bad: "failed", after: "skipped", last: "skipped" });
    const { failure } = nodeOf(run, "bad");
    expect(failure).toMatchObject({ exitCode: 3, reason: expect.stringContaining("exit code 3") });
    expect(failure?.logTail?.at(0)).toBe("line 22");
    expect(failure?.logTail?.at(-1)).toBe("boom: sig=secret?sig=…");
    expect(run.failure).toEqual({ node: "bad", reason: failure?.reason });
    expect(nodeOf(run, "after").jobName).toBeUndefined();
  });

  test("cancels what runs beside it", async () => {
    const jobs = { slow: shell("sleep 600", result), bad: shell("exit 1", result) };
    const run = await app.ended((await app.start(jobs)).runId);
    expect(run.status).toBe("failed");
    expect(statuses(run)).toEqual({ slow: "canceled", bad: "failed" });
    expect(nodeOf(run, "slow").failure?.reason).toContain("bad");
  });

  test("of a pipeline that continues stops its own branch alone", async () => {
    const jobs = {
      bad: shell("exit 1", result),
      never: appending("bad", "x"),
      good: writing("a"),
      better: appending("good", "b"),
    };
    const run = await app.ended((await app.start(jobs, { settings: { continue_on_step_failure: true } })).runId);
    expect(run.status).toBe("failed");
    expect(statuses(run)).toEqual({ bad: "failed", never: "skipped", good: "completed", better: "completed" });
    expect(await app.read(run.runId, "better", "result", "text")).toBe("ab");
    expect(run.failure?.node).toBe("bad");
  });

  test("because what it reads was never written says which input that is", async () => {
    const jobs = { silent: shell("true", { outputs: { result: { type: "uri_file" } } }), reader: reading("silent") };
    const run = await app.ended((await app.start(jobs)).runId);
    expect(run.status).toBe("failed");
    expect(statuses(run)).toEqual({ silent: "completed", reader: "failed" });
    expect(nodeOf(run, "reader").failure?.reason).toMatch(/Input `before` .*not found/);
  });

  test("because it ran longer than its limit says so", async () => {
    const run = await app.ended(
      (await app.start({ node: shell("echo begun; sleep 600", { ...result, limits: { timeout: 2 } }) })).runId,
    );
    expect(run.status).toBe("failed");
    expect(nodeOf(run, "node").failure?.reason).toMatch(/ran longer than/);
  });
});

function reading(node: string): Record<string, unknown> {
  const inputs = { before: { type: "uri_file", path: `\${{parent.jobs.${node}.outputs.result}}` } };
  return shell('cat "${{inputs.before}}" > "${{outputs.result}}/text"', { ...result, inputs });
}

/** What the workspace says its job went through; of a deployed app only how it ended is known. */
async function jobStatuses(run: RunDocument, node: string): Promise<string[]> {
  const { jobName = "", jobStatus = "" } = nodeOf(run, node);
  const job = await controls?.job(jobName);
  return job?.statuses.map(({ status }) => status) ?? [jobStatus];
}

describe("a run that is canceled", () => {
  test("while a node runs kills its job and starts nothing more", async () => {
    const jobs = { first: shell("echo begun; sleep 600", result), second: appending("first", "x") };
    const { runId } = await app.start(jobs);
    await app.until(runId, (run) => nodeOf(run, "first").status === "running");
    const answer = await cancel(runId, { reason: "changed my mind" });
    expect(answer.status).toBe(202);
    RunDocument.parse(await answer.json());
    const run = await app.ended(runId);
    expect(run).toMatchObject({ status: "canceled", failure: { reason: "changed my mind" } });
    expect(statuses(run)).toEqual({ first: "canceled", second: "canceled" });
    expect((await jobStatuses(run, "first")).at(-1)).toBe("Canceled");
    const again = await cancel(runId);
    expect([again.status, RunDocument.parse(await again.json()).failure]).toEqual([200, run.failure]);
  });

  test("before its job has begun, or was sent at all, ends canceled too", async () => {
    // More than this machine runs at once: some are queued.
    const jobs = Object.fromEntries(
      Array.from({ length: 24 }, (_, index) => [`n${index}`, shell("sleep 600", result)]),
    );
    const started = await Promise.all([app.start(jobs), app.start({ node: shell("sleep 600", result) })]);
    for (const { runId } of started) expect((await cancel(runId)).status).toBe(202);
    for (const { runId } of started) {
      const run = await app.ended(runId);
      expect(run.status).toBe("canceled");
      expect(new Set(run.nodes.map(({ status }) => status))).toEqual(new Set(["canceled"]));
    }
  });

  test("while its node waits for a machine ends canceled, and the job never runs", async () => {
    const blockers = Object.fromEntries(
      Array.from({ length: 24 }, (_, index) => [`n${index}`, shell("sleep 600", result)]),
    );
    const { runId: blocking } = await app.start(blockers);
    const blocked = await app.until(blocking, (run) => run.nodes.some(({ jobStatus }) => jobStatus === "Queued"));
    const { runId } = await app.start({ node: shell("echo ran", result) });
    await app.until(runId, (run) => nodeOf(run, "node").jobName !== undefined);
    await cancel(runId);
    const run = await app.ended(runId);
    expect(run.status).toBe("canceled");
    expect(await jobStatuses(run, "node")).not.toContain("Running");
    await cancel(blocked.runId);
    expect((await app.ended(blocked.runId)).status).toBe("canceled");
  });
});
