import { describe, expect, test } from "vitest";
import { createGatherOutputs } from "#functions/activities/gather-outputs.ts";
import { createReadCondition } from "#functions/activities/read-condition.ts";
import { createReadLoop } from "#functions/activities/read-loop.ts";
import { resolveInputs } from "#functions/job-inputs.ts";
import type { PlanInput } from "#shared/domain/plan.ts";
import { at, createControlWorld, environment, plansOf } from "./control-world.ts";

const reading = (more: Partial<Extract<PlanInput, { kind: "output" }>> = {}): PlanInput => ({
  kind: "output",
  type: "uri_file",
  node: "a",
  output: "o",
  mode: "ro_mount",
  ...more,
});

describe("the inputs of a job", () => {
  const world = createControlWorld({ n: "7\n", word: "two  words\r\n", big: "x".repeat(64 * 1024 + 1), no: "maybe" });
  const resolve = (input: PlanInput, path?: string) =>
    resolveInputs({ x: input }, path === undefined ? {} : { "a.o": at(path) }, world.readOutputText);

  test("are literals where they read primitive outputs, and places otherwise", async () => {
    expect(await resolve(reading({ literal: "integer" }), "n")).toEqual({ x: { kind: "literal", value: "7" } });
    expect(await resolve(reading({ literal: "string" }), "word")).toEqual({
      x: { kind: "literal", value: "two  words" },
    });
    expect(await resolve(reading(), "n")).toEqual({
      x: { kind: "data", type: "uri_file", uri: at("n"), mode: "ro_mount" },
    });
    expect(await resolve(reading({ isOptional: true }))).toEqual({});
  });

  test("take a literal that a loop hands on as it is", async () => {
    const upstream = { "a.o": "data:,a%20'b'%0A%24(c)%25" };
    const inputs = await resolveInputs({ x: reading({ literal: "string" }) }, upstream, world.readOutputText);
    expect(inputs["x"]).toEqual({ kind: "literal", value: "a 'b'\n$(c)%" });
  });

  test.each<[PlanInput, string | undefined, string]>([
    [reading(), undefined, "input `x`: node `a` made no `o`"],
    [reading({ literal: "integer" }), "none", "was not written"],
    [reading({ literal: "string" }), "big", "has 65537 bytes; a value may have 65536"],
    [reading({ literal: "boolean" }), "no", "expected true or false, got the text `maybe`"],
  ])("that cannot be had are told by name: %#", async (input, path, message) => {
    await expect(resolve(input, path)).rejects.toThrow(message);
  });
});

const check = { command: "c", environment, outputs: { ok: { type: "boolean" }, items: { type: "string" } } };
const piece = {
  component: {
    type: "command",
    name: "piece",
    command: "p ${{inputs.n}} $[[${{inputs.data}}]]",
    environment,
    inputs: {
      n: { type: "integer", max: 5 },
      word: { type: "string", default: "w" },
      data: { type: "uri_folder", optional: true },
    },
    outputs: {
      dir: { type: "uri_folder" },
      file: { type: "uri_file" },
      size: { type: "number" },
      ok: { type: "boolean" },
    },
  },
};

describe("a condition", () => {
  const jobs = {
    check,
    work: { command: "w", environment },
    choose: {
      type: "if_else",
      condition: "${{parent.jobs.check.outputs.ok}}",
      true_block: "${{parent.jobs.work}}",
    },
  };

  test.each([
    ["True\n", { kind: "decided", value: true }],
    ["no", { kind: "decided", value: false }],
    ["perhaps", { kind: "undecidable", reason: expect.stringContaining("perhaps") as string }],
  ])("that reads %j", async (text, expected) => {
    const readCondition = createReadCondition({ ...createControlWorld({ ok: text }), plans: await plansOf(jobs) });
    expect(await readCondition({ runId: "r", node: "choose", upstream: { "check.ok": at("ok") } })).toEqual(expected);
  });
});

describe("a loop over items that another node wrote", () => {
  const jobs = {
    check,
    piece,
    each: { type: "parallel_for", body: "${{parent.jobs.piece}}", items: "${{parent.jobs.check.outputs.items}}" },
  };
  const read = async (items: string) => {
    const readLoop = createReadLoop({ ...createControlWorld({ items }), plans: await plansOf(jobs) });
    return readLoop({ runId: "r", node: "each", upstream: { "check.items": at("items") } });
  };

  test("gives each item's values and the defaults of the rest, by what the body declares", async () => {
    expect(
      await read('[{"n": "3"}, {"n": 1.0, "word": "a b", "data": {"path": "azureml://datastores/d/paths/x/"}}]'),
    ).toMatchObject({
      kind: "loop",
      planNode: "each",
      graph: { nodes: [{ name: "piece", dependsOn: [] }] },
      items: [
        { "each.n": "data:,3", "each.word": "data:,w" },
        { "each.n": "data:,1", "each.word": "data:,a%20b", "each.data": "azureml://datastores/d/paths/x/" },
      ],
    });
    expect(await read("[]")).toMatchObject({ kind: "loop", items: [] });
  });

  test.each([
    ["[1", "is no JSON"],
    ["{}x", "is no JSON"],
    ["3", "expected a list of mappings, got `3`"],
    ["[3]", "expected item 1 to be a mapping of inputs, got `3`"],
    ['[{"n": 9}]', "item 1, input `n`: 9 is above the maximum 5"],
    ['[{"n": 1}, {"m": 1}]', "item 2, input `m`: the body has no such input"],
    ['[{"n": 1}, {}]', "item 2, input `n`: it has no value"],
    ['[{"n": [1]}]', "item 1, input `n`: expected a integer, got a list"],
    ['[{"n": 1, "data": "./here"}]', "item 1, input `data`: expected the place of data"],
    [JSON.stringify(Array.from({ length: 1001 }, () => ({ n: 1 }))), "there are 1001 items"],
    [" ".repeat(1024 * 1024 + 1), "a value may have 1048576"],
  ])("is refused when the items are %.20s", async (items, reason) => {
    expect(await read(items)).toMatchObject({ kind: "refused", reason: expect.stringContaining(reason) as string });
  });
});

test("a do_while begins with what its body is given", async () => {
  const body = { ...piece, inputs: { n: 2, data: "${{parent.jobs.check.outputs.dir}}" } };
  const jobs = {
    check: { ...check, outputs: { dir: { type: "uri_folder" } } },
    piece: body,
    loop: {
      type: "do_while",
      body: "${{parent.jobs.piece}}",
      condition: "ok",
      mapping: { dir: "data" },
      limits: { max_iteration_count: 3 },
    },
  };
  const readLoop = createReadLoop({ ...createControlWorld(), plans: await plansOf(jobs) });
  const upstream = { "check.dir": at("made/") };
  expect(await readLoop({ runId: "r", node: "loop", upstream })).toMatchObject({
    items: [{ "loop.data": at("made/") }],
  });
});

describe("what all items have made", () => {
  const jobs = { piece, each: { type: "parallel_for", body: "${{parent.jobs.piece}}", items: [{ n: 1 }, { n: 2 }] } };

  test("becomes tables of places and lists of values, in the items' order", async () => {
    const world = createControlWorld({ s1: "1.50\n", s2: "2", b1: "true", b2: "no" });
    const gatherOutputs = createGatherOutputs({ ...world, plans: await plansOf(jobs) });
    const made = (number: number) => ({
      dir: at(`d${number}/`),
      file: at(`f${number}`),
      size: at(`s${number}`),
      ok: at(`b${number}`),
    });
    const folder = "mlpipe/runs/r/each/1/";
    expect(await gatherOutputs({ runId: "r", node: "each", rounds: [made(1), made(2)] })).toEqual({
      outputs: {
        dir: at(`${folder}dir/`),
        file: at(`${folder}file/`),
        size: at(`${folder}size`),
        ok: at(`${folder}ok`),
      },
    });
    const long = "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/store/paths/";
    expect(world.stored.get(`${folder}dir/MLTable`)).toBe(
      `type: mltable\npaths:\n  - folder: ${long}d1/\n  - folder: ${long}d2/\n`,
    );
    expect(world.stored.get(`${folder}file/MLTable`)).toContain(`- file: ${long}f1\n`);
    expect(world.stored.get(`${folder}size`)).toBe("[1.5,2]");
    expect(world.stored.get(`${folder}ok`)).toBe("[true,false]");
  });

  test("that is no value is told with its item", async () => {
    const world = createControlWorld({ s1: "1", s2: "many" });
    const gatherOutputs = createGatherOutputs({ ...world, plans: await plansOf(jobs) });
    expect(
      await gatherOutputs({ runId: "r", node: "each", rounds: [{ size: at("s1") }, { size: at("s2") }] }),
    ).toMatchObject({ reason: expect.stringContaining("the output `size` of item 2: expected a number") as string });
  });
});
