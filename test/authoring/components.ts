// Components for the type tests and the tests beside them.
import {
  boolean,
  commandComponent,
  integer,
  mlflowModel,
  number,
  parallelComponent,
  string,
  uriFile,
  uriFolder,
} from "mlpipe";

const environment = "azureml:tools:1";

export const split = commandComponent({
  name: "split",
  inputs: { images: uriFolder(), labels: uriFile({ optional: true }) },
  outputs: { table: uriFolder(), index: uriFile() },
  environment,
  command: "split ${{inputs.images}} $[[--labels ${{inputs.labels}}]] ${{outputs.table}} ${{outputs.index}}",
});

export const fit = commandComponent({
  name: "fit",
  inputs: {
    table: uriFolder(),
    rate: number(),
    epochs: integer({ default: 10, min: 1 }),
    mode: string({ enum: ["fast", "slow"], default: "fast" }),
    shuffle: boolean({ default: true }),
    note: string({ optional: true }),
  },
  outputs: { model: mlflowModel() },
  environment,
  command:
    "fit ${{inputs.table}} ${{inputs.rate}} ${{inputs.epochs}} ${{ inputs.mode }} ${{inputs.shuffle}} $[[--note ${{inputs.note}}]] ${{outputs.model}}",
});

export const use = commandComponent({
  name: "use",
  inputs: { model: mlflowModel() },
  outputs: { report: uriFile() },
  environment,
  command: "use ${{inputs.model}} ${{outputs.report}}",
});

/** Writes primitive outputs, and reads what it wrote. */
export const step = commandComponent({
  name: "step",
  inputs: {
    table: uriFolder(),
    before: uriFolder({ optional: true }),
    labels: uriFile({ optional: true }),
    count: integer({ default: 0 }),
    rate: number({ optional: true }),
    word: string({ optional: true }),
    mode: string({ enum: ["fast", "slow"], default: "fast" }),
  },
  outputs: { state: uriFolder(), count: integer(), share: number(), word: string(), go_on: boolean(), ok: boolean() },
  environment,
  command:
    "step ${{inputs.table}} ${{inputs.count}} ${{inputs.mode}} $[[${{inputs.before}}]] $[[${{inputs.labels}}]] $[[${{inputs.rate}}]] $[[${{inputs.word}}]] ${{outputs.state}} ${{outputs.count}} ${{outputs.share}} ${{outputs.word}} ${{outputs.go_on}} ${{outputs.ok}}",
});

export const batches = parallelComponent({
  name: "batches",
  inputs: { files: uriFolder(), rate: number({ default: 0.5 }) },
  outputs: { rows: uriFile() },
  input_data: "${{inputs.files}}",
  mini_batch_size: 5,
  task: {
    entry_script: "score.py",
    environment,
    program_arguments: "--rate ${{inputs.rate}}",
    append_row_to: "${{outputs.rows}}",
  },
});
