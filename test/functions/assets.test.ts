// Where the outputs of a job go.
import { expect, test } from "vitest";
import { createAssets } from "#functions/assets.ts";
import type { Blobs } from "#shared/azure/blob.ts";
import type { Ml } from "#shared/azure/ml.ts";
import type { DataType } from "#shared/domain/data-types.ts";
import type { PlanNode } from "#shared/domain/plan.ts";

// No more of the clients is used.
const blobs = { defaultStore: () => Promise.resolve({ name: "store" }) } as unknown as Blobs;
const assets = createAssets({ ml: {} as Ml, blobs });
const place = { runId: "r", node: "fit", attempt: 2 };

const uriOf = (type: DataType, path: string) => {
  const node = { outputs: { model: { type, mode: "rw_mount", path } } };
  return assets.outputUri(node as unknown as PlanNode, "model", place);
};

test("an author's own place has its macros filled in", async () => {
  const path = "azureml://datastores/${{ default_datastore }}/paths/${{name}}/${{output_name}}/${{other}}/";
  expect(await uriOf("uri_folder", path)).toBe("azureml://datastores/store/paths/r-fit-2/model/${{other}}/");
});

test("a folder's place ends with a slash, however it is written, and a file's does not", async () => {
  const path = "azureml://datastores/store/paths/kept/model";
  for (const type of ["uri_folder", "mltable", "mlflow_model"] as const)
    expect(await uriOf(type, path)).toBe(`${path}/`);
  expect(await uriOf("uri_file", path)).toBe(path);
});
