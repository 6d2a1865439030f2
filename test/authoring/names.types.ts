// Inputs and outputs that nobody declares.
import { pipeline, uriFolder } from "mlpipe";
import { fit, split } from "./components.ts";

const whole = pipeline({ name: "p", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
  const { outputs } = node(split, { images: inputs.images });
  // @ts-expect-error a misspelt input of the component
  node(split, { imges: inputs.images });
  // @ts-expect-error an input too many
  node(split, { images: inputs.images, seed: 3 });
  // @ts-expect-error a misspelt input of the pipeline
  node(split, { images: inputs.image });
  // @ts-expect-error a misspelt output of the node
  node(fit, { table: outputs.tabel, rate: 1 });
  // @ts-expect-error settings for an output that the component does not have
  node(split, { images: inputs.images }, { outputs: { tabel: { mode: "upload" } } });
  return { table: outputs.table };
});

pipeline({ name: "outer", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
  const inner = node(whole, { images: inputs.images });
  node(fit, { table: inner.outputs.table, rate: 1 });
  // @ts-expect-error an output that the sub-pipeline does not return
  node(fit, { table: inner.outputs.index, rate: 1 });
  // @ts-expect-error a misspelt input of the sub-pipeline
  node(whole, { image: inputs.images });
  return {};
});
