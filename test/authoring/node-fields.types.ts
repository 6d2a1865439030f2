// What may be said of a node depends on what it runs.
import { integer, pipeline, string, uriFolder } from "mlpipe";
import { fit, split } from "./components.ts";

const preparing = pipeline({ name: "preparing", inputs: { images: uriFolder() } }, ({ inputs, node }) => {
  const { outputs } = node(split, { images: inputs.images });
  return { table: outputs.table };
});

pipeline(
  { name: "p", inputs: { images: uriFolder(), size: string(), nodes: integer({ default: 1 }) } },
  ({ inputs, node, promote }) => {
    const { outputs } = node(
      split,
      { images: inputs.images },
      {
        name: "split_well",
        compute: inputs.size,
        environment: { image: "python:3.12", conda_file: { dependencies: ["python=3.12"] } },
        environment_variables: { VERBOSE: true, SIZE: inputs.size },
        resources: {
          instance_type: ["Standard_NC6s_v3", "Standard_NC4as_T4_v3"],
          instance_count: inputs.nodes,
          properties: { mlpipe: { retry: { out_of_memory: { max_attempts: 2, bigger_size: true } } } },
        },
        limits: { timeout: 3600 },
        distribution: { type: "pytorch", process_count_per_instance: 2 },
        outputs: { table: { mode: "upload" } },
      },
    );
    node(
      preparing,
      { images: outputs.table },
      { name: "again", compute: "azureml:cpu", settings: { force_rerun: true } },
    );

    // @ts-expect-error a whole number for a size
    node(split, { images: inputs.images }, { resources: { instance_type: 4 } });
    // @ts-expect-error a text for a number of machines
    node(split, { images: inputs.images }, { resources: { instance_count: inputs.size } });
    // @ts-expect-error data for a size
    node(split, { images: inputs.images }, { compute: inputs.images });
    // @ts-expect-error a misspelt field
    node(split, { images: inputs.images }, { evironment: "azureml:tools:1" });
    // @ts-expect-error no kind of distribution
    node(split, { images: inputs.images }, { distribution: { type: "horovod" } });
    // @ts-expect-error a class of failures that does not exist
    node(split, { images: inputs.images }, { resources: { properties: { mlpipe: { retry: { memory: {} } } } } });
    // @ts-expect-error a sub-pipeline has no machine of its own
    node(preparing, { images: inputs.images }, { resources: { instance_count: 2 } });
    const fitted = node(fit, { table: outputs.table, rate: 1 });
    return { model: promote(fitted.outputs.model, { mode: "upload", name: "garments", version: "1" }) };
  },
);
