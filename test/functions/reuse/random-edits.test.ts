// Pipelines edited at random and run again and again, against an oracle that knows what every node was really given.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PlanNode } from "#shared/domain/plan.ts";
import { createWorld, literal, planNode, planOf, reads, readsData } from "./world.ts";

interface NodeSpec {
  command: number;
  literal: number;
  environment: number;
  /** Whether its program makes one of two things, so that it often makes the same of something else. */
  isLossy: boolean;
  /** Positions of the earlier nodes it reads, and of data. */
  nodes: number[];
  data: number[];
  isDeterministic: boolean;
  isForced: boolean;
  label: number;
}

const small = fc.integer({ min: 0, max: 2 });
const rarely = fc.integer({ min: 0, max: 7 }).map((value) => value === 0);
const spec = fc.record({
  command: small,
  literal: small,
  environment: small,
  isLossy: fc.boolean(),
  nodes: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
  data: fc.uniqueArray(fc.nat(1), { maxLength: 1 }),
  isDeterministic: rarely.map((value) => !value),
  isForced: rarely,
  label: small,
});
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("edit" as const), node: fc.nat(4), with: spec, field: fc.nat(8) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("data" as const),
      data: fc.nat(1),
      content: small,
      isHashed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("lose" as const),
      run: fc.nat(20),
      node: fc.nat(4),
      isDeleted: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rename" as const), name: small }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("run" as const) }) },
);

/** A result that may stand for others: what the node was given, and where what it made lies. */
interface Made {
  readonly given: string;
  /** The same with the versions of data whose content the store does not know. */
  readonly told: string;
  readonly path: string;
  readonly content: string;
}

test("no edit of inputs, code, environment, literals or data makes a node reuse what is not its own, or misses what is", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(spec, { minLength: 2, maxLength: 5 }),
      fc.array(step, { maxLength: 25 }),
      async (specs, steps) => {
        const world = createWorld();
        const nodes = specs.map((one) => ({ ...one }));
        const made: Made[] = [];
        const given = new Map<string, string>();
        let runs = 0;
        let pipeline = 0;
        const versions = ["", ""];
        let writes = 0;
        for (const path of ["data/0/file", "data/1/file"]) world.store.put(path, "0");

        const toNode = (one: NodeSpec, index: number): PlanNode =>
          planNode(`n${index}`, {
            command: `run ${one.command} ${one.isLossy ? "lossy" : "exact"}`,
            environment: { kind: "inline", image: `image:${one.environment}` },
            isDeterministic: one.isDeterministic,
            forceRerun: one.isForced,
            displayName: `label ${one.label}`,
            inputs: {
              literal: literal(String(one.literal)),
              ...Object.fromEntries(
                one.nodes.filter((node) => node < index).map((node) => [`node_${node}`, reads(`n${node}`)]),
              ),
              ...Object.fromEntries(one.data.map((data) => [`data_${data}`, readsData(world.uriOf(`data/${data}/`))])),
            },
          });

        async function run(): Promise<void> {
          runs += 1;
          const runId = `r${runs}`;
          const plan = planOf(nodes.map(toNode), { pipeline: `p${pipeline}` });
          const before = [...made];
          const wrong: string[] = [];
          given.clear();
          const giveTo = (node: PlanNode, read: Readonly<Record<string, string>>) =>
            JSON.stringify([node.command, node.environment, read]);
          const result = await world.run(runId, plan, (node, read) => {
            const all = giveTo(node, read);
            given.set(node.name, all);
            const random = node.isDeterministic ? "" : runId;
            const content = node.command.endsWith("lossy")
              ? String(Buffer.from(all).reduce((sum, byte) => sum + byte, 0) % 2)
              : all;
            return `${content}${random}`;
          });
          for (const node of plan.nodes) {
            const read = Object.fromEntries(
              Object.entries(node.inputs).map(([name, input]) => {
                if (input.kind === "literal") return [name, input.value];
                if (input.kind === "data") return [name, `file=${world.store.text(`data/${name.at(-1)}/file`)}`];
                return [name, `file=${result.contents[input.node]}`];
              }),
            );
            const all = giveTo(node, read);
            const told = `${all} ${Object.keys(read)
              .map((name) => (name.startsWith("data") ? versions[Number(name.at(-1))] : ""))
              .join(" ")}`;
            const isOpen = node.isDeterministic && !node.forceRerun;
            const good = (one: Made) => one.given === all && world.store.text(one.path) === one.content;
            const latest = before.findLast((one) => one.told === told);
            const isMissed = isOpen && latest !== undefined && good(latest);
            const hasSource = made.some((one) => good(one) && one.content === result.contents[node.name]);
            if (result.statuses[node.name] === "reused") {
              if (!isOpen) wrong.push(`${runId} ${node.name} was reused and may not be`);
              if (!hasSource) wrong.push(`${runId} ${node.name} was reused, and nobody was ever given ${all}`);
              continue;
            }
            if (isMissed) wrong.push(`${runId} ${node.name} ran, and ${latest.path} was there`);
            if (given.get(node.name) !== all) wrong.push(`${runId} ${node.name} was not given ${all}`);
            const path = `mlpipe/runs/${runId}/${node.name}/1/out/file`;
            if (isOpen) made.push({ given: all, told, path, content: result.contents[node.name] ?? "" });
          }
          expect(wrong).toEqual([]);
        }

        await run();
        for (const one of steps) {
          if (one.kind === "run") await run();
          if (one.kind === "restart") world.restart();
          if (one.kind === "rename") pipeline = one.name;
          if (one.kind === "data") {
            world.store.put(`data/${one.data}/file`, String(one.content), one.isHashed);
            versions[one.data] = one.isHashed ? "" : `version ${(writes += 1)}`;
          }
          if (one.kind === "lose") {
            const path = `mlpipe/runs/r${one.run}/n${one.node}/1/out/file`;
            if (world.store.text(path) === undefined) continue;
            if (one.isDeleted) world.store.remove(path);
            else world.store.put(path, "changed by hand");
          }
          if (one.kind === "edit") {
            const fields = Object.keys(one.with) as (keyof NodeSpec)[];
            const field = fields[one.field % fields.length];
            const node = nodes[one.node];
            if (node !== undefined && field !== undefined) Object.assign(node, { [field]: one.with[field] });
          }
        }
        await run();
        await run();
      },
    ),
    { numRuns: 300 },
  );
}, 120_000);
