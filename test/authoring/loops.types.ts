// Loops are wired by their body's ports: what a round writes and the next reads, what says whether there is a next, and what
// each item gives.
import { expectTypeOf } from "vitest";
import { boolean, integer, pipeline, string, uriFile, uriFolder } from "mlpipe";
import { fit, split, step, use } from "./components.ts";

pipeline({ name: "p", inputs: { table: uriFolder(), items: string(), on: boolean() } }, ({ inputs, node, doWhile }) => {
  const { table } = inputs;
  const limits = { max_iteration_count: 10 };
  const looped = doWhile(
    step,
    { table, count: 3 },
    {
      name: "loop",
      condition: "go_on",
      mapping: { state: ["table", "before"], count: "count", share: "rate", word: "word" },
      limits,
      body: { name: "round", resources: { instance_count: 1 }, outputs: { state: { mode: "upload" } } },
    },
  );
  node(fit, { table: looped.outputs.state, rate: looped.outputs.count, shuffle: looped.outputs.go_on });
  doWhile(step, { table }, { name: "without_end", condition: true, mapping: { count: "rate" }, limits });

  // @ts-expect-error without a limit
  doWhile(step, { table }, { condition: "go_on" });
  // @ts-expect-error without a condition
  doWhile(step, { table }, { limits });
  // @ts-expect-error an output that is no flag
  doWhile(step, { table }, { condition: "count", limits });
  // @ts-expect-error a misspelt output
  doWhile(step, { table }, { condition: "goon", limits });
  // @ts-expect-error a loop that is never repeated is none
  doWhile(step, { table }, { condition: false, limits });
  // @ts-expect-error another node's output says nothing of a round
  doWhile(step, { table }, { condition: inputs.on, limits });
  // @ts-expect-error a body that cannot say whether to go on
  doWhile(fit, { table, rate: 1 }, { condition: "model", limits });
  // @ts-expect-error the first round lacks what the body needs
  doWhile(step, {}, { condition: "go_on", limits });
  // @ts-expect-error an output that the body does not have
  doWhile(step, { table }, { condition: "go_on", limits, mapping: { stat: "table" } });
  // @ts-expect-error an input that the body does not have
  doWhile(step, { table }, { condition: "go_on", limits, mapping: { state: "tables" } });
  // @ts-expect-error data into a number
  doWhile(step, { table }, { condition: "go_on", limits, mapping: { state: "count" } });
  // @ts-expect-error a folder into a file
  doWhile(step, { table }, { condition: "go_on", limits, mapping: { state: ["table", "labels"] } });
  // @ts-expect-error any number into a whole number
  doWhile(step, { table }, { condition: "go_on", limits, mapping: { share: "count" } });
  // @ts-expect-error any text into an enum
  doWhile(step, { table }, { condition: "go_on", limits, mapping: { word: "mode" } });
  // @ts-expect-error what is said of the rounds stands in `body`
  doWhile(step, { table }, { condition: "go_on", limits, compute: "azureml:cpu" });
  return { state: looped.outputs.state, ok: looped.outputs.ok };
});

pipeline(
  { name: "p", inputs: { table: uriFolder(), list: string(), rate: integer(), extra: uriFolder({ optional: true }) } },
  ({ inputs, node, parallelFor }) => {
    const { table } = inputs;
    const each = parallelFor(
      step,
      { table },
      {
        name: "each",
        items: [
          { word: "a", count: 1 },
          { word: "b", count: inputs.rate },
        ],
        max_concurrency: 2,
        body: { compute: "azureml:cpu" },
      },
    );
    expectTypeOf<keyof typeof each.outputs>().toEqualTypeOf<"state" | "count" | "share" | "word" | "go_on" | "ok">();
    node(fit, { table: each.outputs.state, rate: 1, note: each.outputs.count });
    parallelFor(step, {}, { name: "named", items: { first: { table }, second: { table: { path: "./there" } } } });
    parallelFor(step, { count: 3 }, { name: "later", items: inputs.list });
    const { outputs } = node(split, { images: table });
    parallelFor(step, {}, { name: "written", items: outputs.index });
    parallelFor(step, { table }, { name: "said", items: node(step, { table }).outputs.word });

    // @ts-expect-error no items
    parallelFor(step, { table }, {});
    // @ts-expect-error an input that the body does not have
    parallelFor(step, { table }, { items: [{ wrod: "a" }] });
    // @ts-expect-error a number for a text
    parallelFor(step, { table }, { items: [{ word: "a" }, { word: 3 }] });
    // @ts-expect-error a text that the enum does not have
    parallelFor(step, { table }, { items: [{ mode: "fast" }, { mode: "medium" }] });
    // @ts-expect-error items that do not give the same
    parallelFor(step, { table }, { items: [{ word: "a", count: 1 }, { word: "b" }] });
    // @ts-expect-error neither the items nor the inputs give the table
    parallelFor(step, {}, { items: [{ word: "a" }] });
    // @ts-expect-error given twice
    parallelFor(step, { table, word: "b" }, { items: [{ word: "a" }] });
    // @ts-expect-error an item cannot read another node's output
    parallelFor(step, {}, { items: [{ table: outputs.table }] });
    // @ts-expect-error an optional folder may not come
    parallelFor(step, {}, { items: [{ table: inputs.extra }] });
    // @ts-expect-error a folder holds no items
    parallelFor(step, { table }, { items: outputs.table });
    // @ts-expect-error a number is no list
    parallelFor(step, { table }, { items: inputs.rate });
    // @ts-expect-error no number of rounds
    parallelFor(step, { table }, { items: [{ word: "a" }], max_concurrency: "all" });
    // @ts-expect-error all folders are no model
    node(use, { model: each.outputs.state });
    // @ts-expect-error all numbers are no number
    node(fit, { table, rate: each.outputs.count });
    return { states: each.outputs.state, counts: each.outputs.count };
  },
);

pipeline({ name: "p", inputs: { table: uriFolder(), labels: uriFile() } }, ({ inputs, node, doWhile }) => {
  const round = pipeline({ name: "round", inputs: { table: uriFolder() } }, (inner) => {
    const { outputs } = inner.node(step, { table: inner.inputs.table });
    return { table: outputs.state, again: outputs.go_on };
  });
  const limits = { max_iteration_count: 3 };
  const looped = doWhile(round, { table: inputs.table }, { condition: "again", mapping: { table: "table" }, limits });
  // @ts-expect-error an output that the pipeline does not return
  doWhile(round, { table: inputs.table }, { condition: "go_on", limits });
  // @ts-expect-error a sub-pipeline has no machine of its own
  doWhile(round, { table: inputs.table }, { condition: "again", limits, body: { resources: { instance_count: 2 } } });
  node(fit, { table: looped.outputs.table, rate: 1 });
  return {};
});
