// What has no default must be given, and by something that is always there.
import { pipeline, string, integer, number, uriFile, uriFolder } from "mlpipe";
import { fit, split } from "./components.ts";

pipeline(
  {
    name: "p",
    inputs: {
      images: uriFolder(),
      labels: uriFile({ optional: true }),
      extra: uriFolder({ optional: true }),
      rate: number({ optional: true }),
      epochs: integer({ default: 3 }),
      note: string({ optional: true }),
    },
  },
  ({ inputs, node }) => {
    const { outputs } = node(split, { images: inputs.images, labels: inputs.labels });
    node(fit, { table: outputs.table, rate: 1, epochs: inputs.epochs, note: inputs.note });
    node(fit, { table: outputs.table, rate: inputs.epochs, epochs: undefined });

    // @ts-expect-error a missing folder
    node(split, {});
    // @ts-expect-error a missing number
    node(fit, { table: outputs.table });
    // @ts-expect-error undefined is nothing
    node(split, { images: undefined });
    // @ts-expect-error an optional folder may not come
    node(split, { images: inputs.extra });
    // @ts-expect-error an optional number may not come
    node(fit, { table: outputs.table, rate: inputs.rate });
    return {};
  },
);
