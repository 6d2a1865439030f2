// Literals are of their declared type, and texts of an enum are its own.
import { boolean, integer, number, pipeline, string, uriFolder } from "mlpipe";
import { fit } from "./components.ts";

string({ enum: ["a", "b"], default: "a" });
// @ts-expect-error a default that the enum does not have
string({ enum: ["a", "b"], default: "c" });
// @ts-expect-error a text as a number's default
number({ default: "1" });
// @ts-expect-error a number as a flag's default
boolean({ default: 1 });
// @ts-expect-error numbers have bounds, texts have none
string({ min: 1 });

pipeline(
  {
    name: "p",
    inputs: {
      table: uriFolder(),
      count: integer(),
      share: number(),
      quick: string({ enum: ["fast"] }),
      word: string(),
    },
  },
  ({ inputs, node }) => {
    const { table } = inputs;
    node(fit, { table, rate: 0.1, epochs: 3, mode: "slow", shuffle: false, note: "any text" }, { name: "a" });
    node(
      fit,
      { table, rate: inputs.count, epochs: inputs.count, mode: inputs.quick, note: inputs.word },
      { name: "b" },
    );

    // @ts-expect-error a text into a number
    node(fit, { table, rate: "0.1" });
    // @ts-expect-error a number into a text
    node(fit, { table, rate: 1, note: 3 });
    // @ts-expect-error a text into a flag
    node(fit, { table, rate: 1, shuffle: "yes" });
    // @ts-expect-error a text that the enum does not have
    node(fit, { table, rate: 1, mode: "medium" });
    // @ts-expect-error any text of the pipeline into an enum
    node(fit, { table, rate: 1, mode: inputs.word });
    // @ts-expect-error any number of the pipeline into a whole number
    node(fit, { table, rate: 1, epochs: inputs.share });
    return {};
  },
);
