// A sweep searches literals, each by a distribution that gives values of its type.
import { expectTypeOf } from "vitest";
import {
  choice,
  integer,
  loguniform,
  normal,
  number,
  pipeline,
  quniform,
  randint,
  string,
  uniform,
  uriFolder,
} from "mlpipe";
import { batches, fit, use } from "./components.ts";

const objective = { goal: "maximize", primary_metric: "accuracy" } as const;
const limits = { max_total_trials: 8, max_concurrent_trials: 2 };
const fields = { objective, limits };

pipeline(
  { name: "p", inputs: { table: uriFolder(), rate: number(), epochs: integer(), word: string() } },
  ({ inputs, node, sweep }) => {
    const { table } = inputs;
    const best = sweep(
      fit,
      {
        table,
        rate: loguniform(-6, -1),
        epochs: choice(3, 5),
        mode: choice("fast", "slow"),
        shuffle: choice(true, false),
        note: inputs.word,
      },
      {
        name: "best",
        objective,
        limits: { ...limits, timeout: 3600, trial_timeout: 600 },
        sampling_algorithm: { type: "random", rule: "sobol", seed: 1 },
        early_termination: { type: "bandit", slack_factor: 0.1, evaluation_interval: 2 },
        resources: { instance_type: ["Standard_NC6s_v3", "Standard_NC4as_T4_v3"] },
        outputs: { model: { mode: "upload" } },
        compute: inputs.word,
      },
    );
    node(use, { model: best.outputs.model });
    expectTypeOf<keyof typeof best.outputs>().toEqualTypeOf<"model">();
    sweep(fit, { table, rate: inputs.rate, epochs: randint(20) }, { ...fields, name: "a" });
    sweep(fit, { table, rate: 1, epochs: quniform(1, 9, 2) }, { ...fields, name: "b" });
    sweep(fit, { table, rate: { type: "uniform", min_value: 0, max_value: 1 } }, { ...fields, name: "c" });
    sweep(fit, { table, rate: choice(0.1, 0.2) }, { objective, sampling_algorithm: "grid", name: "d" });

    // @ts-expect-error a range of numbers over a text
    sweep(fit, { table, rate: 1, note: uniform(0, 1) }, fields);
    // @ts-expect-error the same as YAML writes it
    sweep(fit, { table, rate: 1, note: { type: "uniform", min_value: 0, max_value: 1 } }, fields);
    // @ts-expect-error fractions over whole numbers
    sweep(fit, { table, rate: 1, epochs: uniform(1, 5) }, fields);
    // @ts-expect-error fractions over whole numbers
    sweep(fit, { table, rate: 1, epochs: normal(5, 1) }, fields);
    // @ts-expect-error numbers over a flag
    sweep(fit, { table, rate: 1, shuffle: randint(2) }, fields);
    // @ts-expect-error texts over a number
    sweep(fit, { table, rate: choice("0.1", "0.2") }, fields);
    // @ts-expect-error one of the values is no number
    sweep(fit, { table, rate: choice(0.1, "0.2") }, fields);
    // @ts-expect-error a text that the enum does not have
    sweep(fit, { table, rate: 1, mode: choice("fast", "medium") }, fields);
    // @ts-expect-error nothing to choose from
    sweep(fit, { table, rate: choice() }, fields);
    // @ts-expect-error data cannot be searched
    sweep(fit, { table: choice("a", "b"), rate: 1 }, fields);
    // @ts-expect-error a range without an end
    sweep(fit, { table, rate: { type: "uniform", min_value: 0 } }, fields);
    // @ts-expect-error a misspelt distribution
    sweep(fit, { table, rate: { type: "unifrom", min_value: 0, max_value: 1 } }, fields);
    // @ts-expect-error an input that the trial does not have
    sweep(fit, { table, rte: uniform(0, 1), rate: 1 }, fields);
    // @ts-expect-error a required input that is neither given nor searched
    sweep(fit, { table, epochs: choice(1, 2) }, fields);
    // @ts-expect-error a node takes values, not distributions
    node(fit, { table, rate: uniform(0, 1) });
    // @ts-expect-error no objective
    sweep(fit, { table, rate: uniform(0, 1) }, { limits });
    // @ts-expect-error no such goal
    sweep(fit, { table, rate: uniform(0, 1) }, { ...fields, objective: { goal: "max", primary_metric: "accuracy" } });
    // @ts-expect-error without an end, since only a grid has one of its own
    sweep(fit, { table, rate: uniform(0, 1) }, { objective, limits: { max_concurrent_trials: 2 } });
    // @ts-expect-error no such sampler
    sweep(fit, { table, rate: uniform(0, 1) }, { ...fields, sampling_algorithm: "sobol" });
    // @ts-expect-error a bandit without slack
    sweep(fit, { table, rate: uniform(0, 1) }, { ...fields, early_termination: { type: "bandit" } });
    // @ts-expect-error a policy's field of another policy
    sweep(fit, { table, rate: 1 }, { ...fields, early_termination: { type: "median_stopping", slack_factor: 1 } });
    // @ts-expect-error a trial is a command
    sweep(batches, { files: table, rate: uniform(0, 1) }, fields);
    // @ts-expect-error the best trial's output is a model
    node(fit, { table: best.outputs.table, rate: 1 });
    return { model: best.outputs.model };
  },
);
