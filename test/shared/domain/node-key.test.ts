import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/domain/canonical-json.ts";
import { ingredientsOf, isContentAddressed, nodeKey, nodeShape, shapeOf } from "#shared/domain/node-key.ts";
import type { PlanNode } from "#shared/domain/plan.ts";
import { literal, planNode, reads, readsData } from "#test/functions/reuse/world.ts";

const text = fc.string({ maxLength: 12 });
const record = fc.dictionary(fc.stringMatching(/^[a-z_.]{1,6}$/), text, { maxKeys: 4 });

/** What counts, as a person would list it. */
const counted = fc.record({
  command: text,
  literals: record,
  variables: record,
  image: text,
  conda: fc.option(text, { nil: undefined }),
  hash: fc.option(fc.stringMatching(/^[0-9a-f]{8}$/), { nil: undefined }),
  count: fc.integer({ min: 1, max: 4 }),
  docker: fc.option(text, { nil: undefined }),
  output: fc.constantFrom("uri_folder" as const, "uri_file" as const),
  data: fc.option(fc.constantFrom("content:a", "content:b", "version:a"), { nil: undefined }),
});
type Counted = typeof counted extends fc.Arbitrary<infer T> ? T : never;
/** What does not. */
const others = fc.record({
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  label: text,
  size: text,
  seconds: fc.integer({ min: 1, max: 99 }),
});
type Others = typeof others extends fc.Arbitrary<infer T> ? T : never;

function toNode(what: Counted, other: Others): PlanNode {
  const { conda, hash, docker, data } = what;
  return planNode(other.name, {
    displayName: other.label,
    component: { name: other.label },
    tags: { [other.name]: other.label },
    timeoutSeconds: other.seconds,
    command: what.command,
    inputs: {
      ...Object.fromEntries(Object.entries(what.literals).map(([name, value]) => [name, literal(value)])),
      ...(data === undefined ? {} : { DATA: readsData(`azureml://datastores/store/paths/${other.name}/`) }),
    },
    environmentVariables: what.variables,
    environment: {
      kind: "inline",
      name: other.name,
      image: what.image,
      ...(conda === undefined ? {} : { condaFile: conda }),
    },
    ...(hash === undefined
      ? {}
      : { code: { kind: "upload", hash, uri: `azureml://datastores/${other.name}/paths/mlpipe/uploads/${hash}/` } }),
    outputs: { out: { type: what.output, mode: "rw_mount" } },
    resources: {
      instanceTypes: [other.size],
      instanceCount: what.count,
      ...(docker === undefined ? {} : { dockerArgs: docker }),
    },
  });
}

const keyOf = (what: Counted, other: Others) =>
  nodeKey(toNode(what, other), what.data === undefined ? {} : { "inputs.DATA": what.data });
describe("the key of a node", () => {
  test("is the same exactly when everything that counts is the same", async () => {
    await fc.assert(
      fc.asyncProperty(counted, counted, others, others, async (one, other, a, b) => {
        expect(await keyOf(one, a)).toBe(await keyOf(one, b));
        const names = Object.keys(one) as (keyof Counted)[];
        for (const name of names) {
          const mixed = { ...one, [name]: other[name] } as Counted;
          expect((await keyOf(mixed, a)) === (await keyOf(one, b))).toBe(canonicalJson(mixed) === canonicalJson(one));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("begins with the node's shape, in which no data counts", async () => {
    const node = planNode("a", { inputs: { x: readsData("azureml://datastores/s/paths/x/"), y: reads("b") } });
    const elsewhere = planNode("a", { inputs: { x: readsData("azureml://datastores/s/paths/z/"), y: reads("c") } });
    const key = await nodeKey(node, { "inputs.x": "content:1", "inputs.y": "content:2" });
    expect(shapeOf(key)).toBe(await nodeShape(node));
    expect(await nodeShape(elsewhere)).toBe(await nodeShape(node));
    expect(await nodeKey(node, { "inputs.x": "content:2", "inputs.y": "content:2" })).not.toBe(key);
  });

  test("tells a literal from the same text elsewhere", async () => {
    const one = planNode("a", { inputs: { x: literal("1") }, environmentVariables: {} });
    const other = planNode("a", { inputs: {}, environmentVariables: { x: "1" } });
    expect(await nodeKey(one, {})).not.toBe(await nodeKey(other, {}));
  });

  test("knows uploaded code by its content and other code by what lies at its address", () => {
    const uploaded = {
      kind: "upload" as const,
      hash: "abc",
      uri: "azureml://datastores/store/paths/mlpipe/uploads/abc/",
    };
    const placed = { ...uploaded, uri: "azureml://datastores/store/paths/code/" };
    expect([isContentAddressed(uploaded), isContentAddressed(placed)]).toEqual([true, false]);
    expect(ingredientsOf(planNode("a", { code: uploaded }), {})).toMatchObject({ "code.hash": '"abc"' });
    expect(ingredientsOf(planNode("a", { code: placed }), { code: "content:1" })).toMatchObject({
      "code.data": '"content:1"',
    });
  });
});
