// What becomes of a node when its job fails in the ways the service knows, on a whole stack.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { nodeOf, shell } from "../suite/app.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";

let own: OwnStack;
beforeAll(async () => {
  own = await startOwnStack();
});
afterEach(() => own.controls.setWorkspaceFaults());
afterAll(() => own.stop());

/** Resources of a node that does not wait between its attempts. */
function promptly(...classes: string[]) {
  const retry = Object.fromEntries(classes.map((name) => [name, { delay: 0.1 }]));
  return { resources: { properties: { mlpipe: { retry } } } };
}

describe("a node", () => {
  test("outlives spot machines and asks for a dedicated one in the end", async () => {
    const { app, controls } = own;
    const fault = { code: "NodePreempted", message: "The node was preempted", next: 2 };
    await controls.setWorkspaceFaults({ jobs: [{ job: "-spot-", ...fault, afterMs: 50 }] });
    const started = await app.start({
      spot: shell("sleep 1", { queue_settings: { job_tier: "spot" }, ...promptly("preempted") }),
    });
    const run = await app.ended(started.runId);
    expect(nodeOf(run, "spot")).toMatchObject({
      status: "completed",
      attempt: 3,
      attempts: [
        { attempt: 1, class: "preempted", jobName: expect.stringMatching(/-1$/) },
        { attempt: 2, class: "preempted", jobName: expect.stringMatching(/-2$/) },
      ],
    });
  });

  test("whose size is taken and then not to be had gets the next one", async () => {
    const { app, controls } = own;
    await controls.setWorkspaceFaults({ sizes: { Standard_NC6s_v3: "NoCapacityLater" } });
    const resources = {
      instance_type: "Standard_NC6s_v3",
      properties: { mlpipe: { instance_type_fallbacks: ["Standard_NC4as_T4_v3"] } },
    };
    const run = await app.ended((await app.start({ train: shell("true", { resources }) })).runId);
    expect(nodeOf(run, "train")).toMatchObject({
      status: "completed",
      instanceType: "Standard_NC4as_T4_v3",
      refusedInstanceTypes: [{ instanceType: "Standard_NC6s_v3" }],
      attempts: [{ class: "no-capacity", reason: expect.stringContaining("sufficient capacity") }],
    });
  });

  test("whose image cannot be built is built again once, unless no build could help", async () => {
    const { app, controls } = own;
    const fault = { code: "ImageBuildFailure", next: 1 };
    await controls.setWorkspaceFaults({
      jobs: [
        { job: "-flaky-", ...fault, message: "Image build failed: connection reset" },
        { job: "-hopeless-", ...fault, message: "Image build failed: No matching distribution found for nump" },
      ],
    });
    const jobs = { flaky: shell("true", promptly("image_build")), hopeless: shell("true", promptly("image_build")) };
    const { runId } = await app.start(jobs, { settings: { continue_on_step_failure: true } });
    const run = await app.ended(runId);
    expect(nodeOf(run, "flaky")).toMatchObject({ status: "completed", attempt: 2 });
    // One of its retries had been asked for, without a number: what lasts is not tried again.
    expect(nodeOf(run, "hopeless")).toMatchObject({
      status: "failed",
      attempt: 1,
      failure: { class: "image-build", reason: expect.stringContaining("nump") },
    });
  });

  test("that fails by its own code fails at once and names the error", async () => {
    const { app } = own;
    const { runId } = await app.start({ bad: shell("echo 'ValueError: no images' >&2; exit 7") });
    const node = nodeOf(await app.ended(runId), "bad");
    expect(node).toMatchObject({ status: "failed", attempt: 1, failure: { class: "user-code", exitCode: 7 } });
    expect(node.failure?.reason).toBe("the command ended with exit code 7: ValueError: no images");
  });

  test("that runs longer than its limit is stopped and says which limit it was", async () => {
    const { app } = own;
    const resources = { properties: { mlpipe: { limits: { node: 3 } } } };
    const begun = Date.now();
    const { runId } = await app.start({ slow: shell("sleep 600", { resources }) });
    const node = nodeOf(await app.ended(runId), "slow");
    expect(node).toMatchObject({
      status: "failed",
      failure: { reason: "the node ran longer than its limit of 3 s, all attempts together" },
    });
    expect(Date.now() - begun).toBeLessThan(60_000);
  });
});

describe("a run", () => {
  test("past its time limit fails, and its job is cancelled", async () => {
    const { app, controls } = own;
    const settings = { mlpipe: { limits: { run: 2 } } };
    const { runId } = await app.start({ slow: shell("sleep 600") }, { settings });
    const run = await app.ended(runId);
    expect(run).toMatchObject({ status: "failed", failure: { reason: "the run took longer than its limit of 2 s" } });
    expect((await controls.job(`${runId}-slow-1`)).statuses.at(-1)?.status).toBe("Canceled");
  });
});

describe("a cancel", () => {
  test("reaches a job whose PUT is on its way, and every other", async () => {
    const { app, controls } = own;
    await controls.setWorkspaceFaults({ rules: [{ kind: "delay", route: "jobs.put", ms: 1500, next: 1 }] });
    const { runId } = await app.start({ late: shell("sleep 600"), early: shell("sleep 600") });
    await delay(300);
    const asked = Date.now();
    await app.call(`runs/${runId}/cancel`, { method: "POST", body: {} });
    const run = await app.ended(runId);
    expect(run.status).toBe("canceled");
    expect(Date.now() - asked).toBeLessThan(15_000);
    for (const { jobName } of await controls.jobPuts(runId)) {
      expect((await controls.job(jobName)).statuses.at(-1)?.status).toBe("Canceled");
    }
  });

  test("reaches a job whose acceptance nobody has heard of", async () => {
    const { app, controls } = own;
    await controls.setWorkspaceFaults({ rules: [{ kind: "loseReply", route: "jobs.put" }] });
    const { runId } = await app.start({ lost: shell("sleep 600") });
    await expect.poll(async () => (await controls.jobPuts(runId)).length, { timeout: 10_000 }).toBeGreaterThan(0);
    const asked = Date.now();
    await app.call(`runs/${runId}/cancel`, { method: "POST", body: {} });
    await expect
      .poll(async () => (await controls.job(`${runId}-lost-1`)).statuses.at(-1)?.status, { timeout: 10_000 })
      .toBe("Canceled");
    expect(Date.now() - asked).toBeLessThan(10_000);
    expect((await app.ended(runId)).status).toBe("canceled");
  });

  test("in the pause between two attempts ends the node without another job", async () => {
    const { app, controls } = own;
    await controls.setWorkspaceFaults({ jobs: [{ code: "NodeLost", message: "The node was lost" }] });
    const resources = { properties: { mlpipe: { retry: { lost: { delay: 600 } } } } };
    const { runId } = await app.start({ again: shell("true", { resources }) });
    const waiting = await app.until(runId, (run) => nodeOf(run, "again").waitsFor !== undefined);
    expect(nodeOf(waiting, "again").waitsFor).toMatch(/^attempt 2 at /);
    await app.call(`runs/${runId}/cancel`, { method: "POST", body: {} });
    expect((await app.ended(runId)).status).toBe("canceled");
    expect(await controls.jobPuts(runId)).toHaveLength(1);
  });
});
