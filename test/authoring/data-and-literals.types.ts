// A literal is no data, and data is no literal.
import { integer, pipeline, uriFolder } from "mlpipe";
import { fit, split } from "./components.ts";

pipeline({ name: "p", inputs: { images: uriFolder(), count: integer() } }, ({ inputs, node }) => {
  const { outputs } = node(split, { images: inputs.images });
  node(fit, { table: outputs.table, rate: inputs.count }, { name: "right" });

  // @ts-expect-error a number into a folder
  node(split, { images: 3 });
  // @ts-expect-error the text of a path, which could as well be any other text
  node(split, { images: "./images" });
  // @ts-expect-error a number of the pipeline into a folder
  node(split, { images: inputs.count });
  // @ts-expect-error a folder of the pipeline into a number
  node(fit, { table: outputs.table, rate: inputs.images });
  // @ts-expect-error a node's output into a number
  node(fit, { table: outputs.table, rate: outputs.index });
  return {};
});
