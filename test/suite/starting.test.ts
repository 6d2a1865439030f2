import { describe, expect, test } from "vitest";
import { Problem, RunDocument, RunList } from "#shared/api.ts";
import { appending, type Call, onEmbedded, nodeOf, shell, sharedApp, writing } from "./app.ts";

const { app, controls } = sharedApp();

async function problemOf(answer: Response): Promise<Problem> {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = Problem.parse(await answer.json());
  expect(problem.status).toBe(answer.status);
  expect(problem.type).toBe(`urn:mlpipe:problem:${problem.code}`);
  return problem;
}

async function runsOf(pipeline: string): Promise<RunList["runs"]> {
  return RunList.parse(await (await app.call(`runs?pipeline=${pipeline}`)).json()).runs;
}

describe("starting a run", () => {
  test("of an inline pipeline answers 202 with the run's place, and each node reads what the one before wrote", async () => {
    const jobs = { first: writing("one "), second: appending("first", "two "), third: appending("second", "three") };
    const outputs = { all: { type: "uri_folder" } };
    const third = { ...jobs.third, outputs: { result: "${{parent.outputs.all}}" } };
    const body = {
      pipeline: { type: "pipeline", name: "chain", outputs, jobs: { ...jobs, third } },
      tags: { by: "me" },
    };
    const answer = await app.call("runs", { method: "POST", body });
    expect(answer.status).toBe(202);
    const started = RunDocument.parse(await answer.json());
    expect(answer.headers.get("location")).toBe(`${app.url}/api/runs/${started.runId}`);
    expect(answer.headers.get("etag")).toMatch(/^".+"$/);
    expect(answer.headers.get("retry-after")).toBe("2");
    expect(started).toMatchObject({ pipeline: "chain", experimentName: "chain", tags: { by: "me" } });

    const run = await app.ended(started.runId);
    expect(run.status).toBe("completed");
    expect(run.nodes.map(({ name, status, attempt }) => [name, status, attempt])).toEqual([
      ["first", "completed", 1],
      ["second", "completed", 1],
      ["third", "completed", 1],
    ]);
    expect(run.outputs).toEqual({ all: nodeOf(run, "third").outputs?.["result"] });
    expect(await app.read(run.runId, "third", "result", "text")).toBe("one two three");
  });

  test("of YAML text starts the same as of JSON", async () => {
    const text = `
type: pipeline
name: from_yaml
inputs: {word: hello}
jobs:
  only:
    type: command
    environment: {image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04}
    inputs: {word: "\${{parent.inputs.word}}"}
    outputs: {result: {type: uri_folder}}
    command: printf %s \${{inputs.word}} > "\${{outputs.result}}/text"
`;
    const headers = { "content-type": "application/yaml" };
    const answer = await app.call("runs", { method: "POST", body: text, headers });
    expect(answer.status).toBe(202);
    const run = await app.ended(RunDocument.parse(await answer.json()).runId);
    expect(run).toMatchObject({ pipeline: "from_yaml", status: "completed" });
    expect(await app.read(run.runId, "only", "result", "text")).toBe("hello");
  });

  test("hands a literal to the program as it is, whatever a shell would make of it", async () => {
    const word = `$(touch /tmp/x); "quoted" 'twice' \\ \${HOME} & | > é`;
    const node = shell('printf %s ${{inputs.word}} > "${{outputs.result}}/text"', {
      inputs: { word },
      outputs: { result: { type: "uri_folder" } },
    });
    const run = await app.ended((await app.start({ node })).runId);
    expect(run.status).toBe("completed");
    expect(await app.read(run.runId, "node", "result", "text")).toBe(word);
  });

  test(
    "of a deployed pipeline runs its code, which is stored once",
    onEmbedded(controls, async ({ counters }) => {
      const start = async (who: string) => {
        const answer = await app.call("pipelines/greet/runs", { method: "POST", body: { inputs: { who } } });
        expect(answer.status).toBe(202);
        return app.ended(RunDocument.parse(await answer.json()).runId);
      };
      const first = await start("Ada");
      const { accepted } = await counters();
      expect(accepted["codes.versions.put"]).toBeGreaterThan(0);
      const second = await start("Grace");
      expect([first.status, second.status]).toEqual(["completed", "completed"]);
      expect(await app.read(first.runId, "greet", "greeting", "")).toBe("Hello, Ada!");
      expect(await app.read(second.runId, "greet", "greeting", "")).toBe("Hello, Grace!");
      const registered = (calls: Record<string, number>) => calls["codes.versions.put"] ?? 0;
      expect(registered((await counters()).accepted)).toBe(registered(accepted));
    }),
  );
});

describe("an Idempotency-Key", () => {
  const settings = { force_rerun: true };
  const unique = () => `key ${crypto.randomUUID()}`;
  const post = (headers: Record<string, string>, text: string) =>
    app.call("runs", {
      method: "POST",
      headers,
      body: { pipeline: { type: "pipeline", settings, jobs: { a: writing(text) } } },
    });

  test("gives the same run to the same request, then and later, and one job", async () => {
    const headers = { "idempotency-key": unique() };
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(headers, "x")));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    const runs = await Promise.all(answers.map(async (answer) => RunDocument.parse(await answer.json())));
    const [runId = ""] = new Set(runs.map((run) => run.runId));
    expect(new Set(runs.map((run) => run.runId)).size).toBe(1);
    expect((await app.ended(runId)).status).toBe("completed");
    const again = await post(headers, "x");
    expect(RunDocument.parse(await again.json())).toMatchObject({ runId, status: "completed" });
    const puts = (await controls?.jobPuts(runId)) ?? ["not known of a deployed app"];
    expect(puts).toHaveLength(1);
  });

  test("used for another request is a conflict that names the run", async () => {
    const headers = { "idempotency-key": unique() };
    const { runId } = RunDocument.parse(await (await post(headers, "x")).json());
    const answer = await post(headers, "y");
    expect(answer.status).toBe(409);
    expect(await problemOf(answer)).toMatchObject({ code: "Conflict", detail: expect.stringContaining(runId) });
    await app.ended(runId);
  });

  test("that cannot be one is refused", async () => {
    const answer = await post({ "idempotency-key": "x".repeat(256) }, "x");
    expect(answer.status).toBe(400);
    expect((await problemOf(answer)).detail).toContain("Idempotency-Key");
  });
});

describe("a caller", () => {
  test.for([null, "", "wrong"])("with the key %j is told nothing but 401", async (key) => {
    for (const [method, path] of [
      ["GET", "runs"],
      ["POST", "runs"],
      ["GET", "runs/someone_elses_run"],
      ["POST", "uploads"],
    ] as const) {
      const answer = await app.call(path, { method, key });
      expect(answer.status).toBe(401);
      expect(await answer.text()).toBe("");
    }
  });

  test.for([
    ["GET", "runs/no_such_run", "no_such_run"],
    ["GET", "runs/no_such_run/nodes/a/logs", "no_such_run"],
    ["POST", "runs/no_such_run/cancel", "no_such_run"],
    ["POST", "pipelines/no_such_pipeline/runs", "no_such_pipeline"],
    ["GET", "pipelines/no_such_pipeline", "no_such_pipeline"],
  ] as const)("who asks for what is not there (%s %s) is told what", async ([method, path, name]) => {
    const answer = await app.call(path, { method });
    expect(answer.status).toBe(404);
    expect(await problemOf(answer)).toMatchObject({ code: "NotFound", detail: expect.stringContaining(name) });
  });

  test("who asks for a route that is not there gets 404", async () => {
    expect((await app.call("no/such/route")).status).toBe(404);
    expect((await app.call("runs", { method: "DELETE" })).status).toBe(404);
  });
});

describe("a request that cannot be run", () => {
  const name = "refused";
  const node = writing("x");
  const json = (body: object): Call => ({ body });
  const yaml = (body: string): Call => ({ body, headers: { "content-type": "application/yaml" } });
  const of = (jobs: unknown, more: object = {}) => json({ pipeline: { type: "pipeline", name, jobs, ...more } });
  const large = (bytes: number) => JSON.stringify({ pipeline: "x".repeat(bytes) });

  const cases: [title: string, status: number, call: Call, detail: RegExp][] = [
    [
      "malformed JSON",
      400,
      { body: "{", headers: { "content-type": "application/json" } },
      /not JSON.*application\/yaml/,
    ],
    ["no body", 400, {}, /pipeline/],
    ["malformed YAML", 400, yaml(`name: ${name}\njobs: [`), /./],
    ["YAML with a doubled key", 400, yaml(`name: ${name}\ntype: pipeline\njobs: {}\njobs: {}\n`), /jobs/],
    ["text that is no UTF-8", 400, { body: "\u{d800}" }, /./],
    ["a list for a pipeline", 400, json({ pipeline: [] }), /pipeline/],
    ["a field that is none", 400, json({ pipeline: { type: "pipeline", name, jobs: { node } }, inputz: {} }), /inputz/],
    [
      "inputs that are no mapping",
      400,
      json({ pipeline: { type: "pipeline", name, jobs: { node } }, inputs: 5 }),
      /inputs/,
    ],
    [
      "tags that are numbers",
      400,
      json({ pipeline: { type: "pipeline", name, jobs: { node } }, tags: { a: 1 } }),
      /tags/,
    ],
    ["no jobs", 400, of({}), /job/],
    ["a node without a command", 400, of({ node: { type: "command", environment: { image: "x" } } }), /command/],
    ["a node of an unknown type", 400, of({ node: { ...node, type: "comand" } }), /comand/],
    ["a limit that is a word", 400, of({ node: { ...node, limits: { timeout: "soon" } } }), /timeout/],
    ["an input that nobody gave", 400, of({ node }, { inputs: { epochs: { type: "integer" } } }), /epochs/],
    [
      "an input of another type",
      400,
      json({
        pipeline: { type: "pipeline", name, inputs: { n: { type: "integer" } }, jobs: { node } },
        inputs: { n: "x" },
      }),
      /inputs\.n: .*whole number/,
    ],
    [
      "an input that is not declared",
      400,
      json({ pipeline: { type: "pipeline", name, jobs: { node } }, inputs: { n: 1 } }),
      /n/,
    ],
    [
      "an output that is not there",
      400,
      of({ a: node, b: appending("a", "x", { inputs: { before: "${{parent.jobs.a.outputs.reslt}}" } }) }),
      /reslt/,
    ],
    ["a circle of nodes", 400, of({ a: appending("b", "x"), b: appending("a", "y") }), /a.*b|b.*a/],
    ["a local path", 400, of({ node: { ...node, code: "./src" } }), /\.\/src.*uploads/],
    ["10 MB of JSON", 413, { body: large(10 * 1024 * 1024) }, /5 MB/],
    ["10 MB of YAML", 413, yaml(`name: ${name}\n# ${"x".repeat(10 * 1024 * 1024)}`), /5 MB/],
  ];

  test.for(cases)("%s: is refused with a reason", async ([, status, call, detail]) => {
    const answer = await app.call("runs", { method: "POST", ...call });
    expect(answer.status).toBe(status);
    const problem = await problemOf(answer);
    expect(problem.code).toBe(status === 413 ? "TooLarge" : "InvalidRequest");
    expect(problem.detail).toMatch(detail);
    expect(await runsOf(name)).toEqual([]);
  });

  test("10 MB without a length are refused as they come", async () => {
    const chunk = new TextEncoder().encode("x".repeat(64 * 1024));
    let sent = 0;
    const body = new ReadableStream({
      pull(stream) {
        sent += chunk.byteLength;
        if (sent > 10 * 1024 * 1024) stream.close();
        else stream.enqueue(chunk);
      },
    });
    const answer = await fetch(`${app.url}/api/runs`, {
      method: "POST",
      headers: { "x-functions-key": app.key },
      body,
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect((await problemOf(answer)).code).toBe("TooLarge");
  });

  test("lists every issue with its place", async () => {
    const jobs = { a: { ...node, limits: { timeout: -1 } }, b: { type: "command", environment: { image: "x" } } };
    const answer = await app.call("runs", { method: "POST", body: { pipeline: { type: "pipeline", name, jobs } } });
    expect(answer.status).toBe(400);
    const paths = (await problemOf(answer)).issues?.map(({ path }) => path) ?? [];
    expect(paths.filter((path) => path.startsWith("jobs.a"))).not.toEqual([]);
    expect(paths.filter((path) => path.startsWith("jobs.b"))).not.toEqual([]);
  });

  test("in YAML has its line", async () => {
    const text = `type: pipeline\nname: ${name}\njobs:\n  a:\n    type: command\n    comand: echo\n`;
    const answer = await app.call("runs", { method: "POST", ...yaml(text) });
    expect((await problemOf(answer)).issues?.some(({ line }) => line !== undefined && line >= 4)).toBe(true);
  });

  test.for([
    ["runs?limit=0", /limit/],
    ["runs?status=done", /status/],
    ["runs?before=yesterday", /before/],
    ["runs/a%20b", /runId/],
    ["runs/r?wait=x", /wait/],
    ["runs/r/nodes/a%2fb/logs", /node/],
  ] as const)("GET %s is refused by name", async ([path, detail]) => {
    const answer = await app.call(path);
    expect(answer.status).toBe(400);
    expect((await problemOf(answer)).detail).toMatch(detail);
  });
});
