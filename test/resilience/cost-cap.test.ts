// A cap on a whole stack, where a second costs dollars.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlanAnswer, Problem } from "#shared/api.ts";
import { nodeOf, shell } from "../suite/app.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";

let own: OwnStack;
beforeAll(async () => {
  // A dollar a second; a machine needs 90 of them to begin, of which 60 are kept for its end.
  own = await startOwnStack({ MLPIPE_PRICES: '{"Standard_D4s_v5": 3600, "Standard_F4s_v2": 0}' });
});
afterAll(() => own.stop());

const sized = (command: string, more: object = {}) =>
  shell(command, { resources: { instance_type: "Standard_D4s_v5" }, ...more });
const capped = (cost: number) => ({ mlpipe: { limits: { cost } } });

describe("a run with a cap", () => {
  test("is cut before it is crossed: its job is cancelled, and the run says why at the top", async () => {
    const { app, controls } = own;
    const { runId } = await app.start({ long: sized("sleep 600") }, { settings: capped(95) });
    const live = await app.until(runId, ({ cost }) => (cost?.held ?? 0) > 0);
    expect(live.cost).toMatchObject({ cap: 95 });
    const run = await app.ended(runId);
    expect(run).toMatchObject({ status: "failed", failure: { node: "long" }, cost: { cap: 95, held: 0 } });
    expect(run.failure?.reason).toMatch(
      /^the cap of \$95\.00 is reached: \$\d+\.\d\d spent, \$\d+\.\d\d held by long$/,
    );
    expect(nodeOf(run, "long").failure?.class).toBe("cost-cap");
    expect(run.cost?.spent).toBeGreaterThan(25);
    expect(run.cost?.spent).toBeLessThanOrEqual(95);
    const { statuses } = await controls.job(`${runId}-long-1`);
    expect(statuses.at(-1)?.status).toBe("Canceled");
  });

  test("is kept by an app that was killed in the middle of a lease", async () => {
    const { app, stack, controls } = own;
    const { runId } = await app.start({ long: sized("sleep 600") }, { settings: capped(110) });
    await app.until(runId, ({ nodes }) => nodes[0]?.jobStatus === "Running");
    process.kill(stack.pids().host, "SIGKILL");
    const answers = () =>
      app.call(`runs/${runId}`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(answers, { timeout: 60_000 }).toBe(true);
    const run = await app.ended(runId);
    expect(run).toMatchObject({ status: "failed", cost: { held: 0 } });
    expect(run.failure?.reason).toMatch(/^the cap of \$110\.00 is reached/);
    expect(run.cost?.spent).toBeLessThanOrEqual(110);
    expect(await controls.jobPuts(runId)).toHaveLength(1);
  });

  test("that fits is left alone, costs what its jobs did, and is told beforehand the next time", async () => {
    const { app } = own;
    const jobs = { first: sized("sleep 1"), second: sized("sleep 1") };
    const { runId } = await app.start(jobs, { name: "fits", settings: capped(500) });
    const run = await app.ended(runId);
    expect(run.status).toBe("completed");
    const costs = run.nodes.map(({ cost }) => cost?.spent ?? 0);
    expect(Math.min(...costs)).toBeGreaterThan(1);
    expect(run.cost).toMatchObject({ cap: 500, held: 0 });
    expect(run.cost?.spent).toBeCloseTo(
      costs.reduce((sum, cost) => sum + cost, 0),
      0,
    );

    const changed = { first: sized("sleep 1"), second: sized("sleep 1; true") };
    const pipeline = { type: "pipeline", name: "fits", jobs: changed, settings: capped(500) };
    await expect
      .poll(async () => {
        const plan = (await (await app.call("plan", { method: "POST", body: { pipeline } })).json()) as PlanAnswer;
        return plan.nodes.find(({ name }) => name === "second")?.forecast?.samples;
      })
      .toBe(1);
    const plan = (await (await app.call("plan", { method: "POST", body: { pipeline } })).json()) as PlanAnswer;
    expect(plan.forecast).toMatchObject({ isAtLeast: false, maxCost: 500 });
    expect(plan.forecast?.cost.p50).toBeGreaterThan(1);
  });

  test("starts nothing that the cap does not pay for, and nothing after it", async () => {
    const { app, controls } = own;
    const { runId } = await app.start({ long: sized("true") }, { settings: capped(50) });
    const run = await app.ended(runId);
    expect(run.failure?.reason).toBe(
      "the cap of $50.00 is reached: $0.00 spent, and to begin on Standard_D4s_v5 takes $90.00",
    );
    expect(await controls.jobPuts(runId)).toEqual([]);
    expect(run.cost).toEqual({ spent: 0, cap: 50 });
  });

  test("lets jobs wait for money that others may give back", async () => {
    const { app, controls } = own;
    // Each needs 90 to begin, and there is never more than one time that.
    const jobs = Object.fromEntries(["a", "b", "c"].map((name) => [name, sized("sleep 0.2")]));
    const { runId } = await app.start(jobs, { settings: capped(160) });
    const waiting = await app.until(runId, ({ nodes }) => nodes.some(({ waitsFor }) => waitsFor !== undefined));
    expect(waiting.nodes.find(({ waitsFor }) => waitsFor !== undefined)?.waitsFor).toMatch(
      /^money: the cap of \$160\.00/,
    );
    expect((await app.ended(runId)).status).toBe("completed");
    expect(await controls.jobPuts(runId)).toHaveLength(3);
  });

  test("needs no money for what costs nothing", async () => {
    const { app } = own;
    const free = shell("true", { resources: { instance_type: "Standard_F4s_v2" } });
    const run = await app.ended((await app.start({ free }, { settings: capped(0.01) })).runId);
    expect(run).toMatchObject({ status: "completed", cost: { spent: 0 } });
  });

  test("is refused at its start where a price is missing", async () => {
    const { app } = own;
    const pipeline = { type: "pipeline", jobs: { a: shell("true") } };
    const answer = await app.call("runs", { method: "POST", body: { pipeline, maxCost: 5 } });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as Problem).detail).toMatch(/the cap of \$5\.00 cannot be kept: a names no size/);
    const wrong = await app.call("runs", { method: "POST", body: { pipeline, maxCost: 0 } });
    expect(wrong.status).toBe(400);
  });
});
