// Conditions are flags, blocks hold nodes; primitive outputs go where their values fit.
import { boolean, integer, pipeline, string, uriFolder } from "mlpipe";
import { fit, split, step } from "./components.ts";

pipeline(
  {
    name: "p",
    inputs: { table: uriFolder(), on: boolean({ default: true }), maybe: boolean({ optional: true }), size: string() },
  },
  ({ inputs, node, ifElse, onInit, onFinalize }) => {
    const { table } = inputs;
    const first = node(step, { table });
    const yes = node(fit, { table, rate: 1 }, { name: "yes" });
    const no = node(split, { images: table }, { name: "no" });
    const chosen = ifElse({ condition: first.outputs.ok, true_block: yes, false_block: [no] });
    ifElse({ name: "again", condition: inputs.on, true_block: chosen });
    ifElse({ name: "never", condition: false, false_block: first });
    onInit(node(split, { images: table }, { name: "first" }));
    onFinalize(node(split, { images: table }, { name: "last" }));

    // @ts-expect-error a number is no condition
    ifElse({ condition: first.outputs.count, true_block: yes });
    // @ts-expect-error a text is no condition
    ifElse({ condition: "yes", true_block: yes });
    // @ts-expect-error data is no condition
    ifElse({ condition: first.outputs.state, true_block: yes });
    // @ts-expect-error a flag that may not come
    ifElse({ condition: inputs.maybe, true_block: yes });
    // @ts-expect-error no condition
    ifElse({ true_block: yes });
    // @ts-expect-error nothing to decide on
    ifElse({ condition: true });
    // @ts-expect-error an empty block
    ifElse({ condition: true, true_block: [] });
    // @ts-expect-error a component is no node
    ifElse({ condition: true, true_block: fit });
    // @ts-expect-error an output is no node
    ifElse({ condition: true, true_block: yes.outputs.model });
    // @ts-expect-error a condition makes nothing
    node(fit, { table: chosen.outputs.table, rate: 1 });
    // @ts-expect-error a component is no node
    onInit(split);
    return { model: yes.outputs.model };
  },
);

pipeline({ name: "p", inputs: { table: uriFolder(), size: string() } }, ({ inputs, node }) => {
  const { table } = inputs;
  const { outputs } = node(step, { table });
  node(fit, { table, rate: outputs.share, epochs: outputs.count, shuffle: outputs.ok, note: outputs.word });
  node(fit, { table, rate: outputs.count }, { name: "whole_numbers_are_numbers" });

  // @ts-expect-error any number for a whole number
  node(fit, { table, rate: 1, epochs: outputs.share });
  // @ts-expect-error any text for an enum
  node(fit, { table, rate: 1, mode: outputs.word });
  // @ts-expect-error a flag for a text
  node(fit, { table, rate: 1, note: outputs.ok });
  // @ts-expect-error a number for data
  node(fit, { table: outputs.count, rate: 1 });
  // @ts-expect-error only inputs read what another node writes
  node(split, { images: table }, { compute: outputs.word });
  return { count: outputs.count };
});

pipeline({ name: "outer", inputs: { table: uriFolder() } }, (outer) => {
  const theirs = outer.node(split, { images: outer.inputs.table });
  pipeline({ name: "inner", inputs: { count: integer() } }, (inner) => {
    // @ts-expect-error a node of the pipeline around it
    inner.ifElse({ condition: true, true_block: theirs });
    // @ts-expect-error a node of the pipeline around it
    inner.onFinalize(theirs);
    return {};
  });
  return {};
});
