// A search over hyper-parameters: the trial runs once per set of values.
import { fieldOf } from "../issue-list.ts";
import { anything, isMapping, mapping, number, positiveInteger, shape, text } from "../shape.ts";
import { keepSource } from "../source-map.ts";
import { resources } from "./fields.ts";
import { createRefusedKind } from "./refused.ts";

export const sweep = createRefusedKind({
  type: "sweep",
  why: "a sweep, which does not run yet; run its trial as a command with the values you want",
  declaredIn: "trial",
  fields: {
    trial: anything,
    search_space: mapping,
    objective: shape({ goal: text, primary_metric: text }),
    sampling_algorithm: anything,
    limits: shape({
      max_total_trials: positiveInteger,
      max_concurrent_trials: positiveInteger,
      timeout: positiveInteger,
      trial_timeout: positiveInteger,
    }),
    early_termination: shape({
      type: text,
      slack_factor: number,
      slack_amount: number,
      truncation_percentage: positiveInteger,
      evaluation_interval: positiveInteger,
      delay_evaluation: number,
    }),
    resources,
  },

  // The search space gives the trial's inputs of the same names.
  inputsGivenElsewhere: (node) => Object.keys(isMapping(node.search_space) ? node.search_space : {}),

  async load(spec, loader, path) {
    if (spec.trial === undefined || spec.trial === null) return spec;
    const trial = await loader.component(spec.trial, fieldOf(path, spec, "trial"));
    return keepSource(spec, { ...spec, trial: trial ?? spec.trial });
  },
});
