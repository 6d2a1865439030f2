// What the workspace says of a plan's environments before anything of the run is there.
import { expect, test } from "vitest";
import { createAdmission } from "#functions/admission.ts";
import { compilePlan } from "#shared/domain/compile-plan.ts";
import { parsePipeline } from "#shared/domain/load-pipeline.ts";
import type { EnvironmentReference, Plan } from "#shared/domain/plan.ts";
import { formatIssue, MlpipeError } from "#shared/errors.ts";

async function planOf(jobs: Record<string, unknown>): Promise<Plan> {
  const { document } = await parsePipeline({ type: "pipeline", jobs });
  const result = await compilePlan(document ?? { type: "pipeline" }, { inputs: {} });
  if (result.plan === undefined) throw new Error(result.issues.map(formatIssue).join("\n"));
  return result.plan;
}

/** A workspace that answers by image. */
function createWorkspace(answers: Readonly<Record<string, Error>>) {
  const asked: string[] = [];
  const admitEnvironment = (environment: EnvironmentReference) => {
    const name = environment.kind === "asset" ? environment.id : (environment.image ?? "");
    asked.push(name);
    const answer = answers[name];
    return answer === undefined ? Promise.resolve() : Promise.reject(answer);
  };
  return { asked, admission: createAdmission({ assets: { admitEnvironment } }) };
}

const node = (image: string) => ({ type: "command", command: "true", environment: { image } });
const refused = new MlpipeError("InvalidRequest", "no index has it");

test("every node of a refused environment is named with the reason, and the environment asked for once", async () => {
  const { asked, admission } = createWorkspace({ bad: refused });
  const plan = await planOf({ a: node("bad"), b: node("good"), c: node("bad") });
  expect(await admission.refusals(plan)).toEqual(
    new Map([
      ["a", "no index has it"],
      ["c", "no index has it"],
    ]),
  );
  expect(asked.toSorted()).toEqual(["bad", "good"]);
});

test("what stands in a loop and in a sweep is asked for, too", async () => {
  const { admission } = createWorkspace({ bad: refused });
  const sweep = {
    type: "sweep",
    trial: { command: "echo ${{search_space.x}}", environment: { image: "bad" } },
    search_space: { x: { type: "choice", values: [1, 2] } },
    objective: { goal: "minimize", primary_metric: "loss" },
    limits: { max_total_trials: 2 },
  };
  const names = [...(await admission.refusals(await planOf({ tune: sweep }))).keys()];
  expect(names).toEqual(["tune"]);
});

test("a node of a kind that cannot run has no environment to ask for", async () => {
  const { asked, admission } = createWorkspace({});
  await admission.refusals(await planOf({ clean: { type: "spark", entry: { file: "clean.py" } } }));
  expect(asked).toEqual([]);
});

test("a workspace that does not answer refuses nothing: the job has the patience for it", async () => {
  const { admission } = createWorkspace({ slow: new MlpipeError("Unavailable", "Azure ML is not answering") });
  expect((await admission.refusals(await planOf({ a: node("slow") }))).size).toBe(0);
});

test("a failure of our own is no refusal", async () => {
  const { admission } = createWorkspace({ odd: new TypeError("oops") });
  await expect(admission.refusals(await planOf({ a: node("odd") }))).rejects.toThrow("oops");
});
