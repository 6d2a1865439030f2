// Written by `mlpipe types` from the files named here; write it anew when their inputs or outputs change.
import { integer, loadComponent, uriFolder } from "mlpipe";

export const prep = loadComponent("./prep/component.yml", {
  name: "prep",
  from: import.meta.url,
  inputs: {
    input_data: uriFolder(),
  },
  outputs: {
    training_data: uriFolder(),
    test_data: uriFolder(),
  },
});

export const score = loadComponent("./score/component.yml", {
  name: "score",
  from: import.meta.url,
  inputs: {
    input_data: uriFolder(),
    input_model: uriFolder(),
  },
  outputs: {
    output_result: uriFolder(),
    output_report: uriFolder(),
  },
});

export const train = loadComponent("./train/component.yml", {
  name: "train",
  from: import.meta.url,
  inputs: {
    input_data: uriFolder(),
    epochs: integer({ default: 10 }),
    seed: integer({ default: 0 }),
  },
  outputs: {
    output_model: uriFolder(),
  },
});
