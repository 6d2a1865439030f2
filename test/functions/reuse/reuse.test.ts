import { describe, expect, test } from "vitest";
import type { PlanNode } from "#shared/domain/plan.ts";
import { createWorld, literal, planNode, planOf, type Program, reads, readsData, type World } from "./world.ts";

/** Writes down everything it was given, so that another input gives another output. */
const honest: Program = ({ command }, read) => JSON.stringify([command, read]);
const chain = (change: Partial<PlanNode> = {}) => [
  planNode("prep", change),
  planNode("train", { inputs: { data: reads("prep"), epochs: literal("3") } }),
  planNode("score", { inputs: { model: reads("train") } }),
];
const statuses = async (running: ReturnType<World["run"]>) => Object.values((await running).statuses).join(" ");
const all = "reused reused reused";

describe("a pipeline that is run again", () => {
  test("unchanged is reused whole, and reads the outputs of the run that made them", async () => {
    const world = createWorld();
    const first = await world.run("r1", planOf(chain()), honest);
    const second = await world.run("r2", planOf(chain()), honest);
    expect(second.statuses).toEqual({ prep: "reused", train: "reused", score: "reused" });
    expect(second.uris).toEqual(first.uris);
    expect(second.from).toEqual({ prep: "r1", train: "r1", score: "r1" });
  });

  test("unchanged is looked up by one read, one list and one note each way", async () => {
    const world = createWorld();
    const inputs = (index: number) => (index === 0 ? {} : { x: reads(`n${Math.floor((index - 1) / 3)}`) });
    const wide = Array.from({ length: 100 }, (_, index) => planNode(`n${index}`, { inputs: inputs(index) }));
    await world.run("r1", planOf(wide), honest);
    for (const name of Object.keys(world.store.calls)) delete world.store.calls[name];
    const { statuses: again } = await world.run("r2", planOf(wide), honest);
    expect(new Set(Object.values(again))).toEqual(new Set(["reused"]));
    expect(world.store.calls).toEqual({ readText: 1, versions: 1, writeText: 2 });
  });

  test("by another process of the app, from another checkout or under another name is reused too", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), honest);
    world.restart();
    const renamed = chain().map((node) => ({
      ...node,
      displayName: "other",
      tags: { a: "b" },
      component: { name: "other", version: "2" },
    }));
    expect(await statuses(world.run("r2", planOf(renamed, { pipeline: "q" }), honest))).toBe(all);
    expect(await statuses(world.run("r3", planOf(renamed, { pipeline: "q" }), honest))).toBe(all);
  });

  test("on another machine size is reused: which one it gets is chance", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), honest);
    const resources = { instanceTypes: ["Standard_NC4as_T4_v3"], instanceCount: 1 };
    expect(
      await statuses(world.run("r2", planOf(chain({ resources, compute: "azureml:gpu", timeoutSeconds: 5 })), honest)),
    ).toBe(all);
  });

  test.each<[string, Partial<PlanNode>]>([
    ["command", { command: "run prep --fast" }],
    ["literal", { inputs: { n: literal("1") } }],
    ["environment", { environment: { kind: "inline", image: "busybox", condaFile: "dependencies: [numpy]" } }],
    ["environment variable", { environmentVariables: { SEED: "1" } }],
    ["code", { code: { kind: "upload", uri: "azureml://datastores/store/paths/mlpipe/uploads/abc/", hash: "abc" } }],
    ["number of machines", { resources: { instanceTypes: [], instanceCount: 2 } }],
    ["output's type", { outputs: { out: { type: "uri_file", mode: "rw_mount" } } }],
  ])("with another %s runs that node, and those that read what it made", async (_what, change) => {
    const world = createWorld();
    const loud: Program = ({ name: _name, ...node }, read) =>
      JSON.stringify([{ ...node, inputs: read, code: node.code ?? "" }]);
    await world.run("r1", planOf(chain()), loud);
    const second = await world.run("r2", planOf(chain(change)), loud);
    expect(second.statuses["prep"]).toBe("completed");
    expect(await statuses(world.run("r3", planOf(chain(change)), loud))).toBe(all);
  });

  test("whose changed node makes the same bytes is cut off there", async () => {
    const world = createWorld();
    const quiet: Program = (node, read) => (node.name === "prep" ? "same" : honest(node, read, ""));
    await world.run("r1", planOf(chain()), quiet);
    const second = await world.run("r2", planOf(chain({ command: "run prep # with a comment" })), quiet);
    expect(second.statuses).toEqual({ prep: "completed", train: "reused", score: "reused" });
  });

  test("goes back to what was made long ago when an edit is taken back", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), honest);
    await world.run("r2", planOf(chain({ command: "other" })), honest);
    const third = await world.run("r3", planOf(chain()), honest);
    expect(third.from).toEqual({ prep: "r1", train: "r1", score: "r1" });
  });

  test("whose node failed runs that node and what was skipped", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), (node, read) =>
      node.name === "train" ? undefined : honest(node, read, ""),
    );
    expect((await world.run("r2", planOf(chain()), honest)).statuses).toEqual({
      prep: "reused",
      train: "completed",
      score: "completed",
    });
  });
});

describe("data", () => {
  const file = "data/images/a.csv";
  const withData = (uri: string) => [planNode("prep", { inputs: { images: readsData(uri) } }), ...chain().slice(1)];

  test("that was changed in place is never hit, and hit again when it is as it was", async () => {
    const world = createWorld();
    const plan = planOf(withData(world.uriOf("data/images/")));
    world.store.put(file, "one");
    await world.run("r1", plan, honest);
    world.store.put(file, "two");
    expect((await world.run("r2", plan, honest)).statuses["prep"]).toBe("completed");
    world.store.put(file, "one");
    expect(await statuses(world.run("r3", plan, honest))).toBe(all);
  });

  test("that was written again with the same content, or lies elsewhere with it, is the same", async () => {
    const world = createWorld();
    world.store.put(file, "one");
    await world.run("r1", planOf(withData(world.uriOf("data/images/"))), honest);
    world.store.put(file, "one");
    world.store.put("mlpipe/uploads/abc/a.csv", "one");
    expect(await statuses(world.run("r2", planOf(withData(world.uriOf("data/images"))), honest))).toBe(all);
    expect(await statuses(world.run("r3", planOf(withData(world.uriOf("mlpipe/uploads/abc/"))), honest))).toBe(all);
  });

  test("whose content the store does not know is told by its versions", async () => {
    const world = createWorld();
    const plan = planOf(withData(world.uriOf("data/images/")));
    world.store.put(file, "one", false);
    await world.run("r1", plan, honest);
    expect(await statuses(world.run("r2", plan, honest))).toBe(all);
    world.store.put(file, "one", false);
    expect((await world.run("r3", plan, honest)).statuses["prep"]).toBe("completed");
  });

  test("that changes while the node waits or runs leaves nothing that another run would take", async () => {
    const world = createWorld();
    const plan = planOf(withData(world.uriOf("data/images/")));
    world.store.put(file, "one");
    await world.run("r1", plan, honest, () => world.store.put(file, "two"));
    world.store.put(file, "one");
    expect((await world.run("r2", plan, honest)).statuses["prep"]).toBe("completed");
  });

  test("that nobody can tell apart is read anew each time", async () => {
    const world = createWorld();
    for (const uri of ["https://example.org/data.csv", "azureml:images@latest"]) {
      const plan = planOf([
        planNode("prep", { inputs: { images: { kind: "data", type: "uri_file", uri, mode: "ro_mount" } } }),
      ]);
      await world.run(`${uri.length}-1`, plan, () => "same");
      expect((await world.run(`${uri.length}-2`, plan, () => "same")).statuses).toEqual({ prep: "completed" });
    }
  });
});

describe("an output of an earlier run", () => {
  test.each(["deleted", "changed"])("that was %s is not taken; the node runs and is known again", async (what) => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), honest);
    const lost = "mlpipe/runs/r1/train/1/out/file";
    if (what === "deleted") world.store.remove(lost);
    else world.store.put(lost, "something else");
    // It makes the same bytes, so what follows is still good.
    expect((await world.run("r2", planOf(chain()), honest)).statuses).toEqual({
      prep: "reused",
      train: "completed",
      score: "reused",
    });
    expect((await world.run("r3", planOf(chain()), honest)).from).toEqual({ prep: "r1", train: "r2", score: "r1" });
  });

  test("is named by the runs that read it, in the folder of the run that made it", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), honest);
    await world.run("r2", planOf(chain({ command: "other" })), honest);
    await world.run("r3", planOf(chain()), honest);
    expect(world.store.paths("mlpipe/runs/r1/.references/")).toEqual(["mlpipe/runs/r1/.references/r3.json"]);
    expect(world.store.paths("mlpipe/runs/r2/.references/")).toEqual([]);
  });
});

describe("no other run's result stands for a node", () => {
  test("that is not deterministic, nor that node for another", async () => {
    const world = createWorld();
    const plan = planOf(chain({ isDeterministic: false }));
    await world.run("r1", plan, honest);
    expect((await world.run("r2", plan, honest)).statuses["prep"]).toBe("completed");
    expect((await world.run("r3", planOf(chain()), honest)).statuses["prep"]).toBe("completed");
  });

  test("that is forced, in its own run and in later ones", async () => {
    const world = createWorld();
    const settings = { continueOnStepFailure: false, forceRerun: true };
    await world.run("r1", planOf(chain(), { settings }), honest);
    expect(await statuses(world.run("r2", planOf(chain()), honest))).toBe("completed completed completed");
    expect(await statuses(world.run("r3", planOf(chain(), { settings }), honest))).toBe(
      "completed completed completed",
    );
    expect(await statuses(world.run("r4", planOf(chain()), honest))).toBe(all);
  });

  test("that was asked to run; what it makes then is the latest", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain()), honest);
    const second = await world.run("r2", planOf(chain(), { mustRun: ["train", "score"] }), honest);
    expect(second.statuses).toEqual({ prep: "reused", train: "completed", score: "completed" });
    expect((await world.run("r3", planOf(chain()), honest)).from).toEqual({ prep: "r1", train: "r2", score: "r2" });
  });

  test("that runs before or after all others", async () => {
    const world = createWorld();
    const settings = { continueOnStepFailure: false, forceRerun: false, onInit: "begin", onFinalize: "end" };
    const plan = planOf([planNode("begin"), ...chain(), planNode("end")], { settings });
    await world.run("r1", plan, honest);
    expect((await world.run("r2", plan, honest)).statuses).toEqual({
      begin: "completed",
      prep: "reused",
      train: "reused",
      score: "reused",
      end: "completed",
    });
  });

  test("whose environment is a label that may move", async () => {
    const world = createWorld({ environments: { "azureml:env@latest": "env/versions/1" } });
    const moving = planOf([
      planNode("a", {
        environment: { kind: "asset", id: "azureml://registries/azureml/environments/sklearn/labels/latest" },
      }),
    ]);
    await world.run("r1", moving, honest);
    expect((await world.run("r2", moving, honest)).statuses).toEqual({ a: "completed" });
  });
});

describe("a label of the workspace", () => {
  test("counts as the version that it means", async () => {
    const environments: Record<string, string> = { "azureml:env@latest": "env/versions/1" };
    const world = createWorld({ environments });
    const plan = planOf([planNode("a", { environment: { kind: "asset", id: "azureml:env@latest" } })]);
    await world.run("r1", plan, honest);
    expect((await world.run("r2", plan, honest)).statuses).toEqual({ a: "reused" });
    environments["azureml:env@latest"] = "env/versions/2";
    expect((await world.run("r3", plan, honest)).statuses).toEqual({ a: "completed" });
  });
});

describe("a run that continues another", () => {
  const failing: Program = (node, read) => (node.name === "train" ? undefined : honest(node, read, ""));

  test("takes over what has completed there, even where nothing else would be reused", async () => {
    const world = createWorld();
    const nodes = chain({ isDeterministic: false });
    await world.run("r1", planOf(nodes), failing);
    const second = await world.run("r2", planOf(nodes, { continues: { runId: "r1", takesOver: true } }), failing);
    expect(second).toMatchObject({ statuses: { prep: "reused", train: "failed" }, from: { prep: "r1" } });
    const third = await world.run("r3", planOf(nodes, { continues: { runId: "r2", takesOver: true } }), honest);
    expect(third).toMatchObject({ statuses: { prep: "reused", train: "completed" }, from: { prep: "r1" } });
  });

  test("does not take over what is no longer true", async () => {
    const world = createWorld();
    await world.run("r1", planOf(chain({ isDeterministic: false })), failing);
    const changed = planOf(chain({ isDeterministic: false, command: "other" }), {
      continues: { runId: "r1", takesOver: true },
    });
    expect((await world.run("r2", changed, honest)).statuses["prep"]).toBe("completed");
  });
});
