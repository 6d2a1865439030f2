// A promotion is typed as far as its own fields go; the nodes and outputs that it names are told by `validate`.
import { pipeline, uriFolder } from "mlpipe";
import { split } from "./components.ts";

const promoting = (rules: NonNullable<Promote["rules"]>, more: Partial<Promote> = {}) =>
  pipeline(
    {
      name: "p",
      inputs: { images: uriFolder() },
      settings: { mlpipe: { promote: { model: "${{parent.outputs.table}}", name: "digits", rules, ...more } } },
    },
    ({ inputs, node }) => ({ table: node(split, { images: inputs.images }).outputs.table }),
  );
type Settings = NonNullable<Parameters<typeof pipeline>[0]["settings"]>;
type Promote = NonNullable<NonNullable<Settings["mlpipe"]>["promote"]>;

const measured = { node: "score", metric: "accuracy" };
promoting([
  { ...measured, at_least: 0.9 },
  { ...measured, at_most: 1, at_least: 0 },
  { ...measured, better_than: "champion", by: 0.01, goal: "minimize", if_unscorable: "pass" },
]);
promoting([], { stage: "canary", approval: { timeout: 3600 } });
promoting([], { approval: {} });

// @ts-expect-error a rule needs a limit or a comparison
promoting([measured]);
// @ts-expect-error a rule needs a metric
promoting([{ node: "score", at_least: 0.9 }]);
// @ts-expect-error the champion is all there is to be better than
promoting([{ ...measured, better_than: "chamion" }]);
// @ts-expect-error a value is large or small
promoting([{ ...measured, better_than: "champion", goal: "most" }]);
// @ts-expect-error a limit is a number
promoting([{ ...measured, at_least: "high" }]);
// @ts-expect-error seconds
promoting([], { approval: { timeout: "3 days" } });
