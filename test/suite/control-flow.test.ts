import { describe, expect, test } from "vitest";
import { NodeRun, RunDocument } from "#shared/api.ts";
import { nodeOf, onEmbedded, sharedApp, shell, writing } from "./app.ts";

const { app, controls } = sharedApp();

async function run(jobs: Record<string, unknown>, settings: object = {}, more: object = {}): Promise<RunDocument> {
  const pipeline = { type: "pipeline", jobs, settings: { force_rerun: true, ...settings }, ...more };
  const answer = await app.call("runs", { method: "POST", body: { pipeline } });
  if (answer.status !== 202) throw new Error(await answer.text());
  return app.ended(RunDocument.parse(await answer.json()).runId);
}

const statuses = (document: RunDocument) =>
  Object.fromEntries(document.nodes.map(({ name, status }) => [name, status]));
const node = async (runId: string, name: string) =>
  NodeRun.parse(await (await app.call(`runs/${runId}/nodes/${name}`)).json());
const file = (runId: string, name: string, output: string) => app.read(runId, name, output, output);

/** Writes `value` into the primitive output `value`. */
const saying = (value: string, type: string) =>
  shell(`echo '${value}' > \${{outputs.value}}`, { outputs: { value: { type } } });

describe("parallel", () => {
  test(
    "runs a script over mini-batches, and appends their rows in order",
    onEmbedded(controls, async () => {
      const answer = await app.call("pipelines/batches/runs", { method: "POST", body: {} });
      expect(answer.status).toBe(202);
      const done = await app.ended(RunDocument.parse(await answer.json()).runId);
      expect(statuses(done)).toEqual({ each: "completed", count: "completed" });
      const names = ["ada", "bob", "cyd", "dee", "eve"];
      expect(await file(done.runId, "each", "rows")).toBe(
        names.map((name) => `it's $(me), ${name} of ${name}.txt\n`).join(""),
      );
      expect((await file(done.runId, "count", "lines")).trim()).toBe("5");
      expect(await app.log(done.runId, "each")).toContain("3 mini-batches in 2 processes");
    }),
  );
});

describe("a primitive output", () => {
  test("is the value of a literal input, as one argument", async () => {
    const done = await run({
      say: saying("it is; $(so) much", "string"),
      count: saying("7", "integer"),
      show: shell("printf '%s|%s' ${{inputs.text}} ${{inputs.count}} > ${{outputs.seen}}", {
        inputs: { text: "${{parent.jobs.say.outputs.value}}", count: "${{parent.jobs.count.outputs.value}}" },
        outputs: { seen: { type: "uri_file" } },
      }),
    });
    expect(done.status).toBe("completed");
    expect(await file(done.runId, "show", "seen")).toBe("it is; $(so) much|7");
  });

  test("that holds no such value fails the node that reads it, and says why", async () => {
    const done = await run({
      count: saying("many", "integer"),
      show: shell("echo ${{inputs.count}}", { inputs: { count: "${{parent.jobs.count.outputs.value}}" } }),
    });
    expect(statuses(done)).toEqual({ count: "completed", show: "failed" });
    expect(nodeOf(done, "show").failure?.reason).toContain("expected a whole number, got the text `many`");
  });
});

describe("if_else", () => {
  const block = (name: string) => `\${{parent.jobs.${name}}}`;

  test.each([
    ["true", "true_block", { yes: "completed", after: "completed", no: "skipped", never: "skipped" }],
    ["no", "false_block", { yes: "skipped", after: "skipped", no: "completed", never: "completed" }],
  ])("runs one block and skips the other with what reads it: %s", async (said, taken, expected) => {
    const reading = (from: string) =>
      shell("cat ${{inputs.x}}/text", { inputs: { x: `\${{parent.jobs.${from}.outputs.result}}` } });
    const done = await run({
      decide: saying(said, "boolean"),
      choose: {
        type: "if_else",
        condition: "${{parent.jobs.decide.outputs.value}}",
        true_block: [block("yes")],
        false_block: block("no"),
      },
      yes: writing("yes"),
      after: reading("yes"),
      no: writing("no"),
      never: reading("no"),
    });
    expect(done.status).toBe("completed");
    expect(statuses(done)).toEqual({ decide: "completed", choose: "completed", ...expected });
    expect(nodeOf(done, "choose").taken).toBe(taken);
  });

  test("without a decision fails, and none of its blocks runs", async () => {
    const done = await run({
      decide: saying("perhaps", "boolean"),
      choose: { type: "if_else", condition: "${{parent.jobs.decide.outputs.value}}", true_block: block("yes") },
      yes: writing("yes"),
    });
    expect(done.status).toBe("failed");
    expect(statuses(done)).toEqual({ decide: "completed", choose: "failed", yes: "skipped" });
    expect(done.failure).toMatchObject({ node: "choose", reason: expect.stringContaining("perhaps") as string });
  });
});

describe("do_while", () => {
  const counting = shell(
    `n=$(( \${{inputs.n}} + 1 )); echo $n > \${{outputs.n}}
     { $[[cat \${{inputs.before}}/text;]] echo "round $n"; } > \${{outputs.text}}/text
     if [ $n -lt 3 ]; then echo true; else echo false; fi > \${{outputs.on}}`,
    {
      inputs: { n: 0 },
      outputs: { n: { type: "integer" }, text: { type: "uri_folder" }, on: { type: "boolean", is_control: true } },
    },
  );
  const declared = {
    ...counting,
    command: undefined,
    environment: undefined,
    outputs: undefined,
    component: {
      type: "command",
      name: "counting",
      command: counting["command"],
      environment: counting["environment"],
      inputs: { n: { type: "integer" }, before: { type: "uri_folder", optional: true } },
      outputs: counting["outputs"],
    },
  };
  const loop = (limit: number, more: object = {}) => ({
    type: "do_while",
    body: "${{parent.jobs.step}}",
    condition: "on",
    mapping: { n: "n", text: "before" },
    limits: { max_iteration_count: limit },
    ...more,
  });
  const show = shell("cat ${{inputs.text}}/text; echo ${{inputs.n}} > ${{outputs.seen}}", {
    inputs: { text: "${{parent.jobs.step.outputs.text}}", n: "${{parent.jobs.step.outputs.n}}" },
    outputs: { seen: { type: "uri_file" } },
  });

  test("goes on until its body says no, each round on what the one before wrote", async () => {
    const done = await run({ step: declared, loop: loop(10), show });
    expect(done.status).toBe("completed");
    expect(nodeOf(done, "loop").loop).toMatchObject({ begun: 3, completed: 3 });
    expect(await app.log(done.runId, "show")).toContain("round 1\nround 2\nround 3\n");
    expect((await file(done.runId, "show", "seen")).trim()).toBe("3");
    expect(await node(done.runId, "loop.iteration_2")).toMatchObject({
      name: "loop.iteration_2",
      status: "completed",
      component: "counting",
      dependsOn: ["loop"],
    });
    expect((await app.call(`runs/${done.runId}/nodes/loop.iteration_4`)).status).toBe(404);
  });

  test("ends at its limit", async () => {
    const done = await run({ step: declared, loop: loop(2), show });
    expect(done.status).toBe("completed");
    expect((await file(done.runId, "show", "seen")).trim()).toBe("2");
  });

  test("whose round fails fails with the round and the reason", async () => {
    const failing = {
      ...declared,
      component: {
        ...declared.component,
        command:
          "[ ${{inputs.n}} -lt 1 ] || exit 7\necho 1 > ${{outputs.n}}; echo yes > ${{outputs.on}}; echo x > ${{outputs.text}}/text",
      },
    };
    const done = await run({ step: failing, loop: loop(5), show });
    expect(statuses(done)).toEqual({ loop: "failed", show: "skipped" });
    expect(done.failure).toMatchObject({
      node: "loop",
      reason: expect.stringMatching(/^iteration 2 failed: .*exit code 7/) as string,
    });
    expect((await node(done.runId, "loop.iteration_2")).failure?.exitCode).toBe(7);
  });
});

describe("parallel_for", () => {
  const piece = {
    component: {
      type: "command",
      name: "piece",
      command:
        'printf "%s" ${{inputs.word}} > ${{outputs.piece}}/text; printf "%s" ${{inputs.word}} | wc -c > ${{outputs.size}}; exit ${{inputs.code}}',
      environment: { image: "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04" },
      inputs: { word: { type: "string" }, code: { type: "integer", default: 0 } },
      outputs: { piece: { type: "uri_folder" }, size: { type: "integer" } },
    },
  };
  const each = (more: object) => ({ type: "parallel_for", body: "${{parent.jobs.piece}}", ...more });
  const merge = shell(
    "find ${{inputs.all}}/ -name text | sort | while read f; do cat $f; echo; done > ${{outputs.list}}; echo ${{inputs.sizes}}",
    {
      inputs: {
        all: { type: "mltable", mode: "eval_mount", path: "${{parent.jobs.each.outputs.piece}}" },
        sizes: "${{parent.jobs.each.outputs.size}}",
      },
      outputs: { list: { type: "uri_file" } },
    },
  );

  test("runs its body for each item and hands on what all of them made", async () => {
    const items = [{ word: "a b" }, { word: "it's" }, { word: "$(x)" }];
    const done = await run({ piece, each: each({ items, max_concurrency: 2 }), merge });
    expect(done.status).toBe("completed");
    expect(nodeOf(done, "each").loop).toMatchObject({ total: 3, begun: 3, completed: 3 });
    const table = await app.read(done.runId, "each", "piece", "MLTable");
    expect(table).toContain("type: mltable");
    expect(table.match(/folder: azureml:\/\/subscriptions\/.*each\.item_[123]\/1\/piece\//g)).toHaveLength(3);
    expect(await file(done.runId, "each", "size")).toBe("[3,4,4]");
    expect(await file(done.runId, "merge", "list")).toBe("a b\nit's\n$(x)\n");
    expect(await app.log(done.runId, "merge")).toContain("[3,4,4]");
    expect((await node(done.runId, "each.item_2")).status).toBe("completed");
  });

  test("takes items that another node wrote", async () => {
    const list = saying('[{"word": "x"}, {"word": "yy", "code": 0}]', "string");
    const done = await run({ list, piece, each: each({ items: "${{parent.jobs.list.outputs.value}}" }) });
    expect(done.status).toBe("completed");
    expect(await file(done.runId, "each", "size")).toBe("[1,2]");
    const wrong = saying('[{"word": "x"}, {"code": 0}]', "string");
    const failed = await run({ list: wrong, piece, each: each({ items: "${{parent.jobs.list.outputs.value}}" }) });
    expect(failed.failure).toMatchObject({ node: "each", reason: "item 2, input `word`: it has no value" });
  });

  test("fails with the item that failed", async () => {
    const items = [
      { word: "a", code: 0 },
      { word: "b", code: 4 },
    ];
    const done = await run({ piece, each: each({ items, max_concurrency: 1 }), merge });
    expect(statuses(done)).toEqual({ each: "failed", merge: "skipped" });
    expect(done.failure?.reason).toMatch(/^item 2 failed: .*exit code 4/);
  });

  test("repeats a pipeline, with a loop and a condition inside", async () => {
    const inner = {
      type: "pipeline",
      inputs: { word: { type: "string" }, more: { type: "boolean" } },
      outputs: { piece: { type: "uri_folder" } },
      jobs: {
        piece: {
          ...piece,
          inputs: { word: "${{parent.inputs.word}}" },
          outputs: { piece: "${{parent.outputs.piece}}" },
        },
        check: shell("echo ${{inputs.more}} > ${{outputs.more}}; cat ${{inputs.p}}/text", {
          inputs: { more: "${{parent.inputs.more}}", p: "${{parent.jobs.piece.outputs.piece}}" },
          outputs: { more: { type: "boolean" } },
        }),
        choose: {
          type: "if_else",
          condition: "${{parent.jobs.check.outputs.more}}",
          true_block: "${{parent.jobs.again}}",
        },
        step: shell("echo true > ${{outputs.on}}", { outputs: { on: { type: "boolean" } } }),
        again: {
          type: "do_while",
          body: "${{parent.jobs.step}}",
          condition: "on",
          limits: { max_iteration_count: 2 },
        },
      },
    };
    const items = { first: { word: "one", more: true }, second: { word: "two", more: false } };
    const done = await run({
      inner: { type: "pipeline", component: inner },
      each: { type: "parallel_for", body: "${{parent.jobs.inner}}", items },
    });
    expect(done.status).toBe("completed");
    expect((await node(done.runId, "each.item_1.again")).loop).toMatchObject({ completed: 2 });
    expect((await node(done.runId, "each.item_1.again.iteration_2")).status).toBe("completed");
    expect((await app.call(`runs/${done.runId}/nodes/each.item_2.again`)).status).toBe(404);
    expect((await node(done.runId, "each.item_2.check")).dependsOn).toEqual(["each", "each.item_2.piece"]);
  });
});

describe("on_init and on_finalize", () => {
  test("run before and after all others, the last one even when a node fails", async () => {
    const jobs = { work: shell("exit 3"), other: writing("never"), begin: writing("begin"), end: writing("end") };
    const done = await run(jobs, { on_init: "begin", on_finalize: "end", continue_on_step_failure: false });
    expect(done.status).toBe("failed");
    expect(statuses(done)).toMatchObject({ begin: "completed", work: "failed", end: "completed" });
    expect(nodeOf(done, "begin").endTime?.localeCompare(nodeOf(done, "work").startTime ?? "")).toBeLessThanOrEqual(0);
    expect(nodeOf(done, "work").endTime?.localeCompare(nodeOf(done, "end").startTime ?? "")).toBeLessThanOrEqual(0);
  });
});

describe("a rerun from what failed", () => {
  test("decides and repeats anew, and takes over the nodes beside and in the block", async () => {
    const step = shell("echo false > ${{outputs.on}}; echo x > ${{outputs.data}}/text", {
      outputs: { on: { type: "boolean" }, data: { type: "uri_folder" } },
    });
    const jobs = {
      decide: saying("true", "boolean"),
      choose: {
        type: "if_else",
        condition: "${{parent.jobs.decide.outputs.value}}",
        true_block: "${{parent.jobs.yes}}",
        false_block: "${{parent.jobs.no}}",
      },
      yes: writing("yes"),
      no: writing("no"),
      step,
      loop: { type: "do_while", body: "${{parent.jobs.step}}", condition: "on", limits: { max_iteration_count: 2 } },
      last: shell("cat ${{inputs.data}}/text; exit 3", { inputs: { data: "${{parent.jobs.step.outputs.data}}" } }),
    };
    const first = await run(jobs, { force_rerun: false, continue_on_step_failure: true });
    expect(statuses(first)).toMatchObject({ loop: "completed", yes: "completed", no: "skipped", last: "failed" });
    const answer = await app.call(`runs/${first.runId}/rerun`, { method: "POST", body: { from: "failed" } });
    expect(answer.status).toBe(202);
    const second = await app.ended(RunDocument.parse(await answer.json()).runId);
    expect(statuses(second)).toEqual({
      decide: "reused",
      choose: "completed",
      yes: "reused",
      no: "skipped",
      loop: "completed",
      last: "failed",
    });
    expect(nodeOf(second, "last").failure?.exitCode).toBe(3);
  });
});
