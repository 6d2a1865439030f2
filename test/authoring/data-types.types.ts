// A file is no folder; a model is one, but not every folder is a model.
import { mltable, pipeline, uriFile, uriFolder } from "mlpipe";
import { fit, split, use } from "./components.ts";

pipeline({ name: "p", inputs: { images: uriFolder(), list: uriFile(), table: mltable() } }, ({ inputs, node }) => {
  const { outputs } = node(split, { images: inputs.images, labels: inputs.list });
  const fitted = node(fit, { table: inputs.table, rate: 1 });
  node(split, { images: fitted.outputs.model }, { name: "again" });
  node(use, { model: { path: outputs.table, type: "mlflow_model" } });
  node(use, { model: { path: "azureml:model:1", mode: "download" } }, { name: "use_registered" });

  // @ts-expect-error a file into a folder
  node(fit, { table: outputs.index, rate: 1 });
  // @ts-expect-error a folder into a file
  node(split, { images: inputs.images, labels: outputs.table });
  // @ts-expect-error a folder into a model
  node(use, { model: outputs.table });
  // @ts-expect-error a folder into a model, without saying that it holds one
  node(use, { model: { path: outputs.table } });
  // @ts-expect-error a file cannot be said to be a model
  node(use, { model: { path: outputs.index, type: "mlflow_model" } });
  // @ts-expect-error the data is said to be of a type that the input is not
  node(split, { images: { path: "azureml:images:1", type: "uri_file" } });
  // @ts-expect-error outputs are written by `upload`, inputs are not
  node(split, { images: { path: "azureml:images:1", mode: "upload" } });
  return {};
});
