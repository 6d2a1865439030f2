import { describe, expect, test } from "vitest";
import { createWorld, planOf } from "./promotion-world.ts";

const floor = { node: "score", metric: "accuracy", at_least: 0.5 };
const better = { node: "score", metric: "accuracy", better_than: "champion" };
const absolute = await planOf([floor]);
const competing = await planOf([floor, better]);

describe("a registered model", () => {
  test("tells where it comes from, and has the stage", async () => {
    const world = createWorld(competing);
    const told = await world.promote({ runId: "r1", accuracy: 0.9 });
    expect(told).toMatchObject({ outcome: "promoted", version: "1" });
    const [version] = world.versions.values();
    expect(version).toMatchObject({
      name: "digits",
      version: "1",
      uri: "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/mlpipe/runs/r1/train/1/model/",
      type: "custom_model",
      jobName: "r1-train",
      tags: { stage: "production", "mlpipe.promotion": "1" },
      properties: {
        "mlpipe.run": "r1",
        "mlpipe.pipeline": "p",
        "mlpipe.node": "train",
        "mlpipe.content": "content:model of r1",
        "mlpipe.metrics.score": '{"accuracy":0.9}',
        "mlpipe.input.prep.images": "content:images azureml://datastores/d/paths/images/",
        "mlpipe.measure.score": expect.stringMatching(/^[0-9a-f]{32}-[0-9a-f]{64}$/),
      },
    });
  });

  test("takes the stage from the champion before it", async () => {
    const world = createWorld(competing);
    await world.promote({ runId: "r1", accuracy: 0.8 });
    const told = await world.promote({ runId: "r2", accuracy: 0.9 });
    expect(told).toMatchObject({ outcome: "promoted", version: "2", champion: { version: "1", runId: "r1" } });
    expect(world.versions.get("1")?.tags).toMatchObject({ stage: "archived" });
    expect(world.champions().map(({ version }) => version)).toEqual(["2"]);
  });

  test("is not registered again when a run has made the same once more", async () => {
    const world = createWorld(competing);
    await world.promote({ runId: "r1", accuracy: 0.8, content: "same" });
    const told = await world.promote({ runId: "r2", accuracy: 0.8, content: "same" });
    expect(told).toMatchObject({ outcome: "already-promoted", version: "1" });
    expect(world.versions.size).toBe(1);
  });

  test("gets its stage back when a run makes it again and it passes", async () => {
    const world = createWorld(absolute);
    await world.promote({ runId: "r1", accuracy: 0.8, content: "first" });
    await world.promote({ runId: "r2", accuracy: 0.8, content: "second" });
    const told = await world.promote({ runId: "r3", accuracy: 0.8, content: "first" });
    expect(told).toMatchObject({ outcome: "promoted", version: "1" });
    expect(world.champions().map(({ version }) => version)).toEqual(["1"]);
    expect(world.versions.size).toBe(2);
  });

  test("is known by its content where the same place holds another one now", async () => {
    const world = createWorld(absolute);
    await world.promote({ runId: "r1", accuracy: 0.8, content: "before" });
    const told = await world.promote({ runId: "r1", accuracy: 0.8, content: "after" });
    expect(told).toMatchObject({ outcome: "promoted", version: "2" });
  });

  test("leaves the numbers of versions alone that somebody has put away", async () => {
    const world = createWorld(absolute);
    await world.promote({ runId: "r1", accuracy: 0.8 });
    const first = world.versions.get("1");
    if (first !== undefined) world.versions.set("7", { ...first, version: "7", isArchived: true });
    expect(await world.promote({ runId: "r2", accuracy: 0.8 })).toMatchObject({ version: "8" });
  });
});

describe("a model that is not good enough", () => {
  test.for([
    [0.4, "accuracy 0.4 < 0.5"],
    [undefined, "score has logged no accuracy"],
    [NaN, "accuracy of score is NaN, which is no number to decide on"],
  ] as const)("by %s changes nothing", async ([accuracy, reason]) => {
    const world = createWorld(competing);
    await world.promote({ runId: "r1", accuracy: 0.9 });
    const told = await world.promote({ runId: "r2", accuracy });
    expect(told).toMatchObject({ outcome: "not-promoted", reason: expect.stringContaining(reason) });
    expect(world.champions().map(({ version }) => version)).toEqual(["1"]);
    expect(world.versions.size).toBe(1);
  });

  test("has the champion scored by nobody, since a limit has decided", async () => {
    const world = createWorld(competing);
    await world.promote({ runId: "r1", accuracy: 0.9 });
    const told = await world.promote({ runId: "r2", accuracy: 0.4, data: "other data" });
    expect(told).toMatchObject({ outcome: "not-promoted", reason: "accuracy 0.4 < 0.5" });
    expect(told.rules[1]?.detail).toContain("was not compared");
  });

  test("or none at all: its node has written nothing", async () => {
    const world = createWorld(absolute);
    const told = await world.promote({ runId: "r1", accuracy: 0.9, content: "" });
    expect(told).toMatchObject({ outcome: "not-promoted", reason: "train has written nothing into model" });
  });
});

describe("the champion", () => {
  test("counts by what was recorded of it on the same data, and is scored on other data", async () => {
    const world = createWorld(competing);
    await world.promote({ runId: "r1", accuracy: 0.9 });
    expect(await world.promote({ runId: "r2", accuracy: 0.9 })).toMatchObject({ outcome: "not-promoted" });

    const other = world.add({ runId: "r3", accuracy: 0.85, data: "other data" });
    const unscored = await world.judge(other, world.client);
    expect(unscored).toMatchObject({
      kind: "unscored",
      nodes: [{ node: "score.champion_1", planNode: "score", uri: expect.stringContaining("runs/r1/train/1/model") }],
    });
    world.score("r3", "score.champion_1", 0.8);
    expect(await world.judge(other, world.client)).toMatchObject({
      kind: "judged",
      isPassed: true,
      compared: "1",
      promotion: { reason: "accuracy 0.85 >= 0.5, accuracy 0.85 > champion 1's 0.8" },
    });
  });

  test("that cannot be scored keeps its place, unless the author says otherwise", async () => {
    for (const [rule, isPassed] of [
      [better, false],
      [{ ...better, if_unscorable: "pass" }, true],
    ] as const) {
      const world = createWorld(await planOf([rule]));
      await world.promote({ runId: "r1", accuracy: 0.9 });
      const other = world.add({ runId: "r2", accuracy: 0.85, data: "other data" });
      world.fail("r2", "score.champion_1", "no such layer");
      const judged = await world.judge(other, world.client);
      expect(judged).toMatchObject({
        isPassed,
        promotion: { reason: expect.stringContaining("champion 1 cannot be scored: no such layer") },
      });
    }
  });

  test("that another system has registered and tagged is scored", async () => {
    const world = createWorld(competing);
    const theirs = { name: "digits", uri: "runs:/x/model", type: "mlflow_model", properties: {}, isArchived: false };
    world.versions.set("2026-a", { ...theirs, version: "2026-a", tags: { stage: "production" } });
    const request = world.add({ runId: "r1", accuracy: 0.9 });
    expect(await world.judge(request, world.client)).toMatchObject({ nodes: [{ node: "score.champion_2026-a" }] });
    world.score("r1", "score.champion_2026-a", 0.7);
    expect(await world.promote({ runId: "r1", accuracy: 0.9 })).toMatchObject({ outcome: "promoted", version: "1" });
    expect(world.champions().map(({ version }) => version)).toEqual(["1"]);
  });
});

describe("runs that end at the same time", () => {
  test("leave one champion, and a version each", async () => {
    const world = createWorld(absolute);
    const runs = Array.from({ length: 12 }, (_, index) => ({ runId: `r${index}`, accuracy: 0.6 + index / 100 }));
    const told = await Promise.all(runs.map((run) => world.promote(run)));
    const numbers = told.map(({ version }) => Number(version)).toSorted((a, b) => a - b);
    expect(numbers).toEqual(runs.map((_, index) => index + 1));
    expect(world.champions()).toHaveLength(1);
  });

  test("are each compared with the champion whose place they take", async () => {
    for (let round = 0; round < 10; round += 1) {
      const world = createWorld(competing);
      const values = [0.61, 0.7, 0.65, 0.9, 0.62, 0.8, 0.72, 0.66];
      await Promise.all(values.map((accuracy, index) => world.promote({ runId: `r${index}`, accuracy })));
      const inOrder = [...world.versions.values()].toSorted((a, b) => Number(a.version) - Number(b.version));
      const measured = inOrder.map(({ properties }) => JSON.parse(properties["mlpipe.metrics.score"] ?? "").accuracy);
      expect(measured).toEqual(measured.toSorted((a: number, b: number) => a - b));
      expect(world.champions().map(({ properties }) => properties["mlpipe.run"])).toEqual(["r3"]);
    }
  });

  test("and bring an old version back leave one champion as well", async () => {
    for (let round = 0; round < 10; round += 1) {
      const world = createWorld(absolute);
      await world.promote({ runId: "r1", accuracy: 0.8, content: "first" });
      await world.promote({ runId: "r2", accuracy: 0.8, content: "second" });
      await Promise.all([
        world.promote({ runId: "r3", accuracy: 0.8, content: "first" }),
        world.promote({ runId: "r4", accuracy: 0.8, content: "third" }),
        world.promote({ runId: "r5", accuracy: 0.8, content: "fourth" }),
      ]);
      expect(world.champions()).toHaveLength(1);
    }
  });
});

describe("a registration that dies at any of its writes and is repeated", () => {
  test.for([false, true])("ends as if it had not (a write that dies was taken: %s)", async (isTaken) => {
    for (const content of ["of its own", "first"]) {
      for (let at = 1; ; at += 1) {
        const world = createWorld(absolute);
        await world.promote({ runId: "r1", accuracy: 0.8, content: "first" });
        await world.promote({ runId: "r2", accuracy: 0.8, content: "second" });
        world.failAt(at, isTaken);
        const candidate = { runId: "r3", accuracy: 0.8, content };
        const died = await world.promote(candidate).then(
          () => false,
          () => true,
        );
        const total = world.writes();
        // Whatever is half done, no more than one version is rightfully the champion: the last promotion's.
        world.failAt(undefined);
        const told = await world.promote(candidate);
        const version = content === "first" ? "1" : "3";
        expect(told).toMatchObject({ outcome: "promoted", version });
        expect(world.champions().map((each) => each.version)).toEqual([version]);
        expect(world.versions.size).toBe(content === "first" ? 2 : 3);
        if (!died && total < at) break;
      }
    }
  });

  test("does not take the stage back from a model that was promoted meanwhile", async () => {
    const world = createWorld(absolute);
    world.failAt(1, true);
    await expect(world.promote({ runId: "r1", accuracy: 0.8 })).rejects.toThrow("killed");
    world.failAt(undefined);
    await world.promote({ runId: "r2", accuracy: 0.8 });
    expect(await world.promote({ runId: "r1", accuracy: 0.8 })).toMatchObject({ outcome: "promoted", version: "1" });
    expect(world.champions().map(({ version }) => version)).toEqual(["2"]);
  });
});
