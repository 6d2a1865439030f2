// A parallel component cuts one of its own data inputs, and appends to one of its own files.
import { number, parallelComponent, pipeline, uriFile, uriFolder } from "mlpipe";
import { batches, fit } from "./components.ts";

const inputs = { files: uriFolder(), rate: number() };
const outputs = { rows: uriFile() };
const task = { entry_script: "score.py", environment: "azureml:tools:1" };
const input_data = "${{inputs.files}}";

parallelComponent({ name: "a", inputs, outputs, input_data, mini_batch_size: "10kb", task });
// @ts-expect-error a misspelt input
parallelComponent({ name: "b", inputs, outputs, input_data: "${{inputs.file}}", task });
// @ts-expect-error a number cannot be cut
parallelComponent({ name: "c", inputs, outputs, input_data: "${{inputs.rate}}", task });
// @ts-expect-error nothing is cut
parallelComponent({ name: "d", inputs, outputs, task });
// @ts-expect-error a misspelt output
parallelComponent({ name: "e", inputs, outputs, input_data, task: { ...task, append_row_to: "${{outputs.row}}" } });
// @ts-expect-error a misspelt input among the arguments
parallelComponent({ name: "f", inputs, input_data, task: { ...task, program_arguments: "--r ${{inputs.rat}}" } });
// @ts-expect-error a size without a unit that is known
parallelComponent({ name: "g", inputs, outputs, input_data, mini_batch_size: "10 files", task });
// @ts-expect-error a level that is none
parallelComponent({ name: "h", inputs, outputs, input_data, logging_level: "LOUD", task });
// @ts-expect-error a task without a script
parallelComponent({ name: "i", inputs, outputs, input_data, task: { environment: "azureml:tools:1" } });

pipeline({ name: "p", inputs: { files: uriFolder() } }, ({ inputs: given, node }) => {
  const scored = node(
    batches,
    { files: given.files },
    { mini_batch_size: 2, max_concurrency_per_instance: 4, retry_settings: { max_retries: 1, timeout: 60 } },
  );
  // @ts-expect-error what a command alone has
  node(batches, { files: given.files }, { distribution: { type: "mpi" } });
  // @ts-expect-error what a parallel node alone has
  node(fit, { table: given.files, rate: 1 }, { mini_batch_size: 2 });
  // @ts-expect-error a file into a folder
  node(fit, { table: scored.outputs.rows, rate: 1 });
  return { rows: scored.outputs.rows };
});
