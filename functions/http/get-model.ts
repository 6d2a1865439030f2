import { z } from "zod";
import { ModelDocument, ModelName } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { toModelDocument } from "../promotion/model-documents.ts";
import { defineRoute, json } from "../route.ts";

export const getModel = ({ models }: App) =>
  defineRoute(
    {
      name: "getModel",
      method: "GET",
      path: "models/{name}",
      summary: "Get a registered model with its versions, newest first",
      params: z.object({ name: ModelName }),
      answer: { status: 200, description: "The model", schema: ModelDocument },
    },
    async ({ params: { name } }) => {
      const versions = await models.versions(name);
      if (versions.length === 0) throw new MlpipeError("NotFound", `There is no registered model ${name}`);
      return json(200, toModelDocument(name, versions));
    },
  );
