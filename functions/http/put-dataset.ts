import { z } from "zod";
import { DatasetDocument, DatasetName, PutDatasetRequest } from "#shared/api.ts";
import { inputsFor } from "#shared/domain/dataset/dataset.ts";
import { parseDeclaration, readDeclarationText } from "#shared/domain/dataset/declaration.ts";
import type { Mapping } from "#shared/domain/shape.ts";
import { type Issue, MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { toDatasetDocument } from "../dataset-documents.ts";
import { loadNamedPipeline } from "../named-pipeline.ts";
import { defineRoute, json } from "../route.ts";

export const putDataset = ({ datasets, pipelines, registry, startRun, log }: App) =>
  defineRoute(
    {
      name: "putDataset",
      method: "PUT",
      path: "datasets/{name}",
      summary:
        "Declare a dataset, as JSON or (content-type application/yaml) as YAML; what lies there already starts nothing",
      params: z.object({ name: DatasetName }),
      body: PutDatasetRequest,
      yamlField: "dataset",
      answer: { status: 200, description: "The dataset as it is now", schema: DatasetDocument },
    },
    async ({ params: { name }, body }) => {
      const declaration = read(body.dataset, name);
      const { dataset, issues } = parseDeclaration(declaration, name);
      if (dataset === undefined) throw invalid(issues);
      // What cannot run is told now, and not when the data has come.
      const pipeline = await loadNamedPipeline({ pipelines, registry }, dataset.pipeline);
      const inputs = inputsFor(
        dataset,
        "version",
        `azureml://datastores/${dataset.datastore ?? "default"}/paths/data/`,
      );
      await startRun.compile({ ...pipeline, inputs });
      const { isNew } = await datasets.put(name, declaration);
      log.info({ dataset: name, isNew }, "dataset declared");
      return json(isNew ? 201 : 200, toDatasetDocument(await datasets.get(name)));
    },
  );

function read(source: string | Mapping, name: string): Mapping {
  if (typeof source !== "string") return source;
  const { value, issues } = readDeclarationText(source, `${name}.yml`);
  if (value === undefined) throw invalid(issues);
  return value;
}

function invalid(issues: readonly Issue[]): MlpipeError {
  const [first] = issues;
  const place = first === undefined || first.path === "" ? "" : `${first.path}: `;
  return new MlpipeError("InvalidRequest", `${place}${first?.message ?? "The dataset cannot be read"}`, { issues });
}
