// A command names what its component declares.
import { commandComponent, integer, uriFolder } from "mlpipe";

const environment = "azureml:tools:1";
const inputs = { images: uriFolder(), epochs: integer() };
const outputs = { model: uriFolder() };
/** Put together at run time, so that only the plan can tell. */
const composed = ["fit", "${{inputs.image}}"].join(" ");

commandComponent({ name: "a", inputs, outputs, environment, command: "fit ${{inputs.images}} ${{ inputs.epochs }}" });
commandComponent({ name: "b", inputs, outputs, environment, command: composed });
commandComponent({ name: "c", environment, command: "echo ${HOME} ${{search_space.x}}" });

// @ts-expect-error a misspelt input
commandComponent({ name: "d", inputs, outputs, environment, command: "fit ${{inputs.image}}" });
commandComponent({
  name: "e",
  inputs,
  outputs,
  environment,
  // @ts-expect-error a misspelt input after others
  command: "${{inputs.images}} ${{outputs.model}} ${{inputs.epoch}}",
});
// @ts-expect-error a misspelt output
commandComponent({ name: "f", inputs, outputs, environment, command: "fit ${{outputs.models}}" });
// @ts-expect-error a component without an environment
commandComponent({ name: "g", command: "true" });
// @ts-expect-error a component without a command
commandComponent({ name: "h", environment });
commandComponent({ name: "i", environment, command: "true", outputs: { count: integer({ description: "rows" }) } });
// @ts-expect-error an output has no default
commandComponent({ name: "i", environment, command: "true", outputs: { count: integer({ default: 3 }) } });
// @ts-expect-error an output has no bounds
commandComponent({ name: "i", environment, command: "true", outputs: { count: integer({ max: 3 }) } });
// @ts-expect-error an output is always there
commandComponent({ name: "j", environment, command: "true", outputs: { model: uriFolder({ optional: true }) } });
// @ts-expect-error inputs are mounted read only, outputs are not
commandComponent({ name: "k", environment, command: "true", outputs: { model: uriFolder({ mode: "ro_mount" }) } });
