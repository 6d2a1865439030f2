// What flows in one pipeline belongs to it.
import { type NodeOutput, pipeline, uriFolder } from "mlpipe";
import { fit, split } from "./components.ts";

let kept: NodeOutput<"uri_folder", unknown> | undefined;

pipeline({ name: "outer", inputs: { images: uriFolder() } }, (outer) => {
  const { outputs } = outer.node(split, { images: outer.inputs.images });
  // @ts-expect-error an output does not leave its pipeline
  kept = outputs.table;

  const inner = pipeline({ name: "inner", inputs: { table: uriFolder() } }, ({ inputs, node }) => {
    const own = node(fit, { table: inputs.table, rate: 1 });
    // @ts-expect-error a node's output of the pipeline around it
    node(fit, { table: outputs.table, rate: 1 });
    // @ts-expect-error an input of the pipeline around it
    node(split, { images: outer.inputs.images });
    // @ts-expect-error a node of the pipeline around it
    outer.node(fit, { table: inputs.table, rate: 1 });
    return { model: own.outputs.model };
  });
  const used = outer.node(inner, { table: outputs.table });

  // @ts-expect-error the declaration of an output is not the output of a node
  outer.node(split, { images: inner.outputs.model });
  return { model: used.outputs.model };
});

// @ts-expect-error an input of the pipeline is made by none of its nodes
pipeline({ name: "p", inputs: { images: uriFolder() } }, ({ inputs }) => ({ images: inputs.images }));

pipeline({ name: "other" }, ({ node }) => {
  // @ts-expect-error what was kept of another pipeline
  node(fit, { table: kept, rate: 1 });
  return {};
});
