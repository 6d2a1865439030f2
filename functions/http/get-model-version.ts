import { z } from "zod";
import { AssetVersion, ModelName, ModelVersionDocument } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { toVersionDocument } from "../promotion/model-documents.ts";
import { defineRoute, json } from "../route.ts";

export const getModelVersion = ({ models }: App) =>
  defineRoute(
    {
      name: "getModelVersion",
      method: "GET",
      path: "models/{name}/versions/{version}",
      summary: "Get one version of a registered model: where it comes from, what it measured and which stage it has",
      params: z.object({ name: ModelName, version: AssetVersion }),
      answer: { status: 200, description: "The version", schema: ModelVersionDocument },
    },
    async ({ params: { name, version } }) => {
      const versions = await models.versions(name);
      const found = versions.find((each) => each.version === version);
      if (found === undefined) {
        const known = versions.slice(0, 20).map((each) => each.version);
        const has = known.length === 0 ? `There is no registered model ${name}` : `It has ${known.join(", ")}`;
        throw new MlpipeError("NotFound", `Model ${name} has no version ${version}. ${has}`);
      }
      return json(200, toVersionDocument(found, versions));
    },
  );
