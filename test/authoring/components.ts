// Components for the type tests and the tests beside them.
import { boolean, commandComponent, integer, mlflowModel, number, string, uriFile, uriFolder } from "mlpipe";

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
