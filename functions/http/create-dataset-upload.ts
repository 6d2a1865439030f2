import { DatasetUploadAnswer } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { VersionParams } from "./get-dataset-version.ts";

export const createDatasetUpload = ({ datasets, versions, blobs }: App) =>
  defineRoute(
    {
      name: "createDatasetUpload",
      method: "POST",
      path: "datasets/{name}/versions/{version}/uploads",
      summary: "Ask where to put the files of a version",
      params: VersionParams,
      answer: { status: 200, description: "Its folder and a signature for half an hour", schema: DatasetUploadAnswer },
    },
    async ({ params: { name, version } }) => {
      const { dataset, issues } = await datasets.get(name);
      if (dataset === undefined) throw new MlpipeError("InvalidRequest", `Dataset ${name} is not valid`, { issues });
      const { containerUrl, sas, expires } = await blobs.uploadSignature(dataset.datastore);
      const folder = dataset.place.folderOf(version).slice(0, -1).split("/").map(encodeURIComponent).join("/");
      const uri = await versions.uriOf(dataset, version);
      return json(200, { uri, url: `${containerUrl}/${folder}`, sas, expires } satisfies DatasetUploadAnswer);
    },
  );
