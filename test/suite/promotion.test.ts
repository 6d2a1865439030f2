// Models that are judged, answered for and registered, over the real stack: metrics through MLflow, versions in the workspace.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ModelDocument, ModelList, ModelVersionDocument, type NodeRun, type RunDocument } from "#shared/api.ts";
import { runCli } from "../cli/run-cli.ts";
import { nodeOf, sharedApp, shell } from "./app.ts";
import { openOwnStack, type OwnStack } from "./own-stack.ts";

const { app } = sharedApp();
type App = typeof app;
let names = 0;
const newName = () => `gate-${process.pid}-${Date.now()}-${(names += 1)}`;

/** Scores a model that says how good it is; on data called `hard` every model is worse. */
const program = `
import json, os, sys, time, urllib.request
text = open(sys.argv[1] + "/accuracy").read()
hard = open(sys.argv[2] + "/data").read() == "hard"
value = float(text) - (0.2 if hard else 0)
base = os.environ["MLFLOW_TRACKING_URI"].replace("azureml:", "https:")
headers = {"authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "content-type": "application/json"}
told = "NaN" if value != value else value
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "accuracy", "value": told, "timestamp": int(time.time() * 1000)}
url = base + "/api/2.0/mlflow/runs/log-metric"
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
`;

const folder = { type: "uri_folder" };
const at = (node: string, output: string) => `\${{parent.jobs.${node}.outputs.${output}}}`;

interface Trial {
  readonly name: string;
  readonly accuracy: string;
  readonly data?: string;
  readonly rules?: readonly object[];
  readonly approval?: object;
  /** A file of the model's without which it cannot be scored, and which other models have not. */
  readonly needs?: string;
  readonly pipeline?: string;
  readonly concurrency?: object;
  /** Whether earlier runs' nodes may stand for this one's. */
  readonly reuses?: boolean;
}

const floor = { node: "score", metric: "accuracy", at_least: 0.5 };
const better = { node: "score", metric: "accuracy", better_than: "champion" };

async function start(on: App, trial: Trial) {
  const {
    name,
    accuracy,
    data = "easy",
    rules = [floor],
    approval,
    pipeline = "gate",
    concurrency,
    reuses,
    needs,
  } = trial;
  const promote = { model: at("train", "model"), name, rules, ...(approval === undefined ? {} : { approval }) };
  const files = ["accuracy", ...(needs === undefined ? [] : [needs])];
  const checks = needs === undefined ? "" : `test -e \${{inputs.model}}/${needs} && `;
  const jobs = {
    prep: shell("printf '%s' ${{inputs.data}} > ${{outputs.table}}/data", {
      inputs: { data },
      outputs: { table: folder },
    }),
    train: shell(
      `printf '%s' \${{inputs.accuracy}} | tee ${files.map((file) => `\${{outputs.model}}/${file}`).join(" ")}`,
      {
        inputs: { accuracy: `${accuracy}`, table: at("prep", "table") },
        outputs: { model: folder },
      },
    ),
    score: shell(`${checks}printf %s "$PROGRAM" > score.py && python score.py \${{inputs.model}} \${{inputs.table}}`, {
      inputs: { model: at("train", "model"), table: at("prep", "table") },
      environment_variables: { PROGRAM: program },
    }),
  };
  const mlpipe = { promote, ...(concurrency === undefined ? {} : { concurrency }) };
  return on.start(jobs, { name: pipeline, settings: { force_rerun: reuses !== true, mlpipe } });
}

async function run(trial: Trial): Promise<RunDocument> {
  return app.ended((await start(app, trial)).runId);
}

async function versionsOf(on: App, name: string): Promise<ModelDocument["versions"]> {
  const answer = await on.call(`models/${name}`);
  return answer.status === 404 ? [] : ModelDocument.parse(await answer.json()).versions;
}

const told = (versions: ModelDocument["versions"]) => versions.map(({ version, stage }) => `${version} ${stage}`);

describe("a model", () => {
  test("that passes is registered with its run, metrics and stage", async () => {
    const name = newName();
    const done = await run({ name, accuracy: "0.9" });
    expect(done).toMatchObject({
      status: "completed",
      promotion: { model: name, version: "1", outcome: "promoted", reason: "accuracy 0.9 >= 0.5" },
    });
    const answer = await app.call(`models/${name}/versions/1`);
    expect(ModelVersionDocument.parse(await answer.json())).toMatchObject({
      stage: "production",
      isChampion: true,
      type: "custom_model",
      runId: done.runId,
      pipeline: "gate",
      metrics: { "score.accuracy": 0.9 },
      uri: expect.stringContaining(`mlpipe/runs/${done.runId}/train/1/model/`),
    });
    const { models } = ModelList.parse(await (await app.call("models")).json());
    expect(models.find((model) => model.name === name)).toEqual({
      name,
      latestVersion: "1",
      versions: 1,
      champions: { production: "1" },
    });
    expect((await app.call(`models/${name}/versions/9`)).status).toBe(404);
    expect((await app.call("models/nobody-knows-it")).status).toBe(404);
  });

  test.for([
    ["0.4", "accuracy 0.4 < 0.5"],
    ["nan", "accuracy of score is NaN, which is no number to decide on"],
  ] as const)("that does not, with %s, leaves a completed run that says so", async ([accuracy, reason]) => {
    const name = newName();
    const done = await run({ name, accuracy });
    expect(done).toMatchObject({ status: "completed", promotion: { outcome: "not-promoted", reason } });
    expect(nodeOf(done, "promote").status).toBe("completed");
    expect(await versionsOf(app, name)).toEqual([]);
  });

  test("whose metric nobody has logged is not registered", async () => {
    const name = newName();
    const rules = [{ node: "score", metric: "precision", at_least: 0 }];
    const done = await run({ name, accuracy: "0.9", rules });
    expect(done.promotion).toMatchObject({ outcome: "not-promoted", reason: "score has logged no precision" });
  });

  test("is compared with the champion by what was recorded of it, and on other data by scoring it there", async () => {
    const name = newName();
    const rules = [floor, better];
    await run({ name, accuracy: "0.9", rules });
    const worse = await run({ name, accuracy: "0.85", rules });
    expect(worse.promotion).toMatchObject({
      outcome: "not-promoted",
      reason: "accuracy 0.85 is not better than champion 1's 0.9",
    });
    expect((await app.call(`runs/${worse.runId}/nodes/score.champion_1`)).status).toBe(404);

    const hard = await run({ name, accuracy: "0.95", data: "hard", rules });
    expect(hard.promotion).toMatchObject({
      outcome: "promoted",
      version: "2",
      reason: "accuracy 0.75 >= 0.5, accuracy 0.75 > champion 1's 0.7",
    });
    const scored = (await (await app.call(`runs/${hard.runId}/nodes/score.champion_1`)).json()) as NodeRun;
    expect(scored).toMatchObject({ status: "completed", jobName: expect.stringContaining("champion") });
    expect(told(await versionsOf(app, name))).toEqual(["2 production", "1 archived"]);

    const hardButWorse = await run({ name, accuracy: "0.8", data: "hard", rules });
    expect(hardButWorse.promotion?.reason).toContain("accuracy 0.6 is not better than champion 2's 0.75");
  });

  test("keeps its champion when that cannot be scored, unless its author says otherwise", async () => {
    const name = newName();
    await run({ name, accuracy: "0.6", rules: [better] });
    const kept = await run({ name, accuracy: "0.9", rules: [better], needs: "weights" });
    expect(kept).toMatchObject({ status: "completed", promotion: { outcome: "not-promoted" } });
    expect(kept.promotion?.reason).toMatch(/^accuracy 0.9, champion 1 cannot be scored: .*exit code 1/);
    const lenient = { ...better, if_unscorable: "pass" };
    const replaced = await run({ name, accuracy: "0.9", rules: [lenient], needs: "weights" });
    expect(replaced.promotion).toMatchObject({ outcome: "promoted", version: "2" });
  });

  test("that a run makes again is not registered again", async () => {
    const name = newName();
    await run({ name, accuracy: "0.91", rules: [floor, better], reuses: true });
    const again = await run({ name, accuracy: "0.91", rules: [floor, better], reuses: true });
    expect(again.nodes.map(({ status }) => status)).toEqual(["reused", "reused", "reused", "completed"]);
    expect(again.promotion).toMatchObject({ outcome: "already-promoted", version: "1" });
    expect(told(await versionsOf(app, name))).toEqual(["1 production"]);
  });

  test("of several runs at once is one champion in the end", async () => {
    const name = newName();
    const values = ["0.6", "0.7", "0.65", "0.9"];
    const runs = await Promise.all(values.map((accuracy) => run({ name, accuracy, rules: [floor, better] })));
    const versions = await versionsOf(app, name);
    expect(versions.filter(({ stage }) => stage === "production").map(({ metrics }) => metrics)).toEqual([
      { "score.accuracy": 0.9 },
    ]);
    const promoted = runs.filter(({ promotion }) => promotion?.outcome === "promoted");
    expect(versions).toHaveLength(promoted.length);
  });
});

const answer = (on: App, runId: string, body: object) => on.call(`runs/${runId}/approve`, { method: "POST", body });
const asking = { approval: { timeout: 86_400 } };
const isAsking = ({ promotion }: RunDocument) => promotion?.approval?.requestedTime !== undefined;

describe("a model that somebody has to agree to", () => {
  test("waits, shows that it does, and is registered when the command line says so", async () => {
    const name = newName();
    const { runId } = await start(app, { name, accuracy: "0.9", ...asking });
    const waiting = await app.until(runId, isAsking);
    expect(waiting).toMatchObject({ status: "running", waitsFor: `approval of model ${name} for production` });
    expect(await versionsOf(app, name)).toEqual([]);
    const by = { cwd: ".", env: { MLPIPE_KEY: app.key } };
    const said = await runCli(["approve", runId, "--by", "Ada", "--comment", "schön", "--server", app.url], by);
    expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining(`Run ${runId} is approved.`) });
    const done = await app.ended(runId);
    expect(done.promotion).toMatchObject({
      outcome: "promoted",
      approval: { answer: { decision: "approved", by: "Ada", comment: "schön" } },
    });
    expect(await versionsOf(app, name)).toMatchObject([{ approvedBy: "Ada" }]);

    expect((await answer(app, runId, { decision: "approve" })).status).toBe(202);
    const late = await answer(app, runId, { decision: "reject" });
    expect(late.status).toBe(409);
    expect(await late.text()).toContain("was approved by Ada");
  });

  test("is not registered when it is rejected, and its run has completed all the same", async () => {
    const name = newName();
    const { runId } = await start(app, { name, accuracy: "0.9", ...asking });
    await app.until(runId, isAsking);
    const by = { cwd: ".", env: { MLPIPE_KEY: app.key } };
    await runCli(["approve", runId, "--reject", "--comment", "too slow", "--by", "Ada", "--server", app.url], by);
    const done = await app.ended(runId);
    expect(done).toMatchObject({
      status: "completed",
      promotion: { outcome: "not-promoted", reason: "rejected by Ada: too slow" },
    });
    expect(await versionsOf(app, name)).toEqual([]);
  });

  test("takes the first of many answers at once", async () => {
    const name = newName();
    const { runId } = await start(app, { name, accuracy: "0.9", ...asking });
    await app.until(runId, isAsking);
    const decisions = ["approve", "reject", "approve", "reject", "approve", "reject"];
    const answers = await Promise.all(
      decisions.map(async (decision) => [decision, (await answer(app, runId, { decision })).status] as const),
    );
    const taken = new Set(answers.flatMap(([decision, status]) => (status === 202 ? [decision] : [])));
    expect([...taken]).toHaveLength(1);
    expect(answers.filter(([decision]) => !taken.has(decision)).map(([, status]) => status)).toEqual([409, 409, 409]);
    const done = await app.ended(runId);
    expect(done.promotion?.outcome).toBe(taken.has("approve") ? "promoted" : "not-promoted");
  });

  test("is registered without a question when the answer came before it", async () => {
    const name = newName();
    const { runId } = await start(app, { name, accuracy: "0.9", ...asking });
    expect((await answer(app, runId, { decision: "approve" })).status).toBe(202);
    const done = await app.ended(runId);
    expect(done.promotion).toMatchObject({ outcome: "promoted", approval: { answer: { decision: "approved" } } });
  });

  test("is not registered when nobody answers in time, and an answer after that is told so", async () => {
    const name = newName();
    const { runId } = await start(app, { name, accuracy: "0.9", approval: { timeout: 1 } });
    const done = await app.ended(runId);
    expect(done.promotion).toMatchObject({ outcome: "not-promoted", reason: "nobody approved it within 1 second" });
    const late = await answer(app, runId, { decision: "approve" });
    expect(late.status).toBe(409);
    expect(await late.text()).toContain("has stopped waiting");
  });

  test("ends with its run when that is cancelled", async () => {
    const name = newName();
    const { runId } = await start(app, { name, accuracy: "0.9", ...asking });
    await app.until(runId, isAsking);
    await app.call(`runs/${runId}/cancel`, { method: "POST", body: { reason: "enough" } });
    const done = await app.ended(runId);
    expect(done).toMatchObject({ status: "canceled", promotion: { outcome: "not-promoted", reason: "enough" } });
    expect((await answer(app, runId, { decision: "approve" })).status).toBe(409);
    expect(await versionsOf(app, name)).toEqual([]);
  });

  test.for([
    [{}, 400],
    [{ decision: "maybe" }, 400],
    [{ decision: "approve", by: "x".repeat(201) }, 400],
    [{ decision: "approve", force: true }, 400],
    [{ decision: "approve", by: "\u001b[31mAda" }, 400],
    [{ decision: "approve", comment: "two\nlines" }, 400],
  ] as const)("is not moved by %j", async ([body, status]) => {
    expect((await answer(app, "some_run", body)).status).toBe(status);
  });

  test("holds no slot that another run of its pipeline could have", async () => {
    const [first, second] = [newName(), newName()];
    const one = { pipeline: newName(), concurrency: { max_runs: 1 } };
    const { runId } = await start(app, { name: first, accuracy: "0.9", ...asking, ...one });
    await app.until(runId, isAsking);
    const other = await start(app, { name: second, accuracy: "0.9", ...one });
    expect((await app.ended(other.runId)).promotion?.outcome).toBe("promoted");
    await answer(app, runId, { decision: "approve" });
    expect((await app.ended(runId)).promotion?.outcome).toBe("promoted");
  });

  test("cannot be answered for in a run that asks nobody, or in none", async () => {
    const done = await run({ name: newName(), accuracy: "0.9" });
    const asked = await answer(app, done.runId, { decision: "approve" });
    expect(asked.status).toBe(409);
    expect(await asked.text()).toContain("asks nobody");
    expect((await answer(app, "no_such_run", { decision: "approve" })).status).toBe(404);
  });
});

describe("kill -9", () => {
  let own: OwnStack;
  beforeAll(async () => {
    own = await openOwnStack();
  });
  afterAll(() => own.close());

  test("of the host while a run waits for an answer loses neither the question nor the answer", async () => {
    const name = newName();
    const { runId } = await start(own.app(), { name, accuracy: "0.9", ...asking });
    await own.app().until(runId, isAsking);
    await own.kill("host");
    expect((await own.app().getRun(runId)).document).toMatchObject({ status: "running", waitsFor: expect.any(String) });
    const asked = answer(own.app(), runId, { decision: "approve", by: "Ada" }).catch(() => undefined);
    await delay(20);
    await own.kill("host");
    await asked;
    // Told or not, whoever answers says it again.
    expect((await answer(own.app(), runId, { decision: "approve", by: "Ada" })).status).toBe(202);
    const done = await own.app().ended(runId);
    expect(done.promotion).toMatchObject({ outcome: "promoted", version: "1" });
    expect(told(await versionsOf(own.app(), name))).toEqual(["1 production"]);
  });

  test("of host and workspace while models are registered leaves one version of each and one champion", async () => {
    const name = newName();
    const values = ["0.6", "0.7", "0.8"];
    const runs = await Promise.all(values.map((accuracy) => start(own.app(), { name, accuracy, ...asking })));
    for (const { runId } of runs) await own.app().until(runId, isAsking);
    const answers = runs.map(({ runId }) => answer(own.app(), runId, { decision: "approve" }).catch(() => undefined));
    await delay(60);
    await own.kill("host");
    await own.kill("workspace");
    await Promise.all(answers);
    for (const { runId } of runs) {
      await answer(own.app(), runId, { decision: "approve" });
      expect((await own.app().ended(runId)).promotion?.outcome).toBe("promoted");
    }
    const versions = await versionsOf(own.app(), name);
    expect(versions).toHaveLength(runs.length);
    expect(new Set(versions.map(({ runId }) => runId))).toEqual(new Set(runs.map(({ runId }) => runId)));
    expect(versions.filter(({ stage }) => stage === "production")).toHaveLength(1);
  });
});
