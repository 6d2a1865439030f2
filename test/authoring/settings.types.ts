// What a pipeline says of its whole, mlpipe's own words among it, is known to TypeScript as the loader knows it.
import { pipeline, uriFolder } from "mlpipe";
import { split } from "./components.ts";

pipeline(
  {
    name: "p",
    settings: {
      default_compute: "azureml:cpu",
      continue_on_step_failure: true,
      mlpipe: {
        limits: { run: 3600, queued: 60 },
        concurrency: { max_runs: 1, max_jobs_per_size: { Standard_NC6s_v3: 2 } },
        retry: { out_of_memory: { max_attempts: 2, bigger_size: true } },
      },
    },
    inputs: { images: uriFolder() },
  },
  ({ inputs, node }) => {
    const properties = { mlpipe: { limits: { running: 60 }, retry: { preempted: { spot_attempts: 3 } } } };
    node(split, { images: inputs.images }, { resources: { properties } });
    // @ts-expect-error a phase that there is not
    node(split, { images: inputs.images }, { resources: { properties: { mlpipe: { limits: { run: 60 } } } } });
    return {};
  },
);

// @ts-expect-error a misspelt setting
pipeline({ name: "p", settings: { default_computer: "azureml:cpu" } }, () => ({}));
// @ts-expect-error a text for a flag
pipeline({ name: "p", settings: { force_rerun: "yes" } }, () => ({}));
// @ts-expect-error a misspelt limit
pipeline({ name: "p", settings: { mlpipe: { limits: { runs: 60 } } } }, () => ({}));
// @ts-expect-error a misspelt setting of mlpipe
pipeline({ name: "p", settings: { mlpipe: { concurency: { max_runs: 1 } } } }, () => ({}));
// @ts-expect-error nodes are no names: onFinalize(node(...)) in the body
pipeline({ name: "p", settings: { on_finalize: "split" } }, () => ({}));
