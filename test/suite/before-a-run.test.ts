// A pipeline whose nodes cannot all run is told of every one of them, and nothing of it is started.
import { expect, test } from "vitest";
import { PlanAnswer, Problem, RunList } from "#shared/api.ts";
import { onEmbedded, sharedApp, shell } from "./app.ts";

const { app, controls } = sharedApp();

const word = { type: "string" };
const failing = {
  image: "python:3.11",
  conda_file: { dependencies: ["pip", { pip: ["--no-index", "nobodys-thing"] }] },
};
const built = { build: { path: "azureml://datastores/workspaceblobstore/paths/context/" } };
const pipeline = {
  type: "pipeline",
  name: "mixed",
  jobs: {
    fine: shell("true"),
    gone: { ...shell("true"), environment: failing },
    built: { ...shell("true"), environment: built },
    unheard: { ...shell("true"), environment: "azureml:nobodys-environment:3" },
    clean: { type: "spark", entry: { file: "clean.py" } },
    wide: { ...shell("true"), distribution: { type: "pytorch" }, resources: { instance_count: 2 } },
    piece: {
      type: "command",
      component: {
        type: "command",
        name: "piece",
        inputs: { word },
        command: "echo ${{inputs.word}}",
        environment: failing,
      },
      inputs: { word: "a" },
    },
    each: { type: "parallel_for", body: "${{parent.jobs.piece}}", items: [{ word: "a" }] },
  },
};

test(
  "every node that cannot run is named with its reason, and no run is there",
  onEmbedded(controls, async () => {
    const answer = await app.call("runs", { method: "POST", body: { pipeline } });
    expect(answer.status).toBe(400);
    const { issues = [] } = Problem.parse(await answer.json());
    const reasons = Object.fromEntries(issues.map(({ path, message }) => [path, message]));
    expect(reasons).toEqual({
      "jobs.gone": expect.stringContaining("no package index of this machine has `nobodys-thing`"),
      "jobs.built": expect.stringContaining("built from a Dockerfile"),
      "jobs.unheard": expect.stringContaining("nobodys-environment:3 not found"),
      "jobs.clean": expect.stringContaining("a Spark job"),
      "jobs.wide": expect.stringContaining("a job of 2 machines"),
      "jobs.piece": expect.stringContaining("no package index"),
    });
    expect(RunList.parse(await (await app.call("runs?pipeline=mixed")).json()).runs).toEqual([]);
  }),
);

test(
  "a plan says the same of each node, and of a loop what its body lacks",
  onEmbedded(controls, async () => {
    const answer = await app.call("plan", { method: "POST", body: { pipeline } });
    expect(answer.status).toBe(200);
    const { nodes } = PlanAnswer.parse(await answer.json());
    expect(Object.fromEntries(nodes.map(({ name, action }) => [name, action]))).toEqual({
      fine: "run",
      gone: "refuse",
      built: "refuse",
      unheard: "refuse",
      clean: "refuse",
      wide: "refuse",
      each: "refuse",
    });
    expect(nodes.find(({ name }) => name === "each")?.reason).toContain(
      "`piece` cannot run: the environment cannot be built",
    );
  }),
);
