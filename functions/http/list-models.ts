import { ModelList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { toListed } from "../promotion/model-documents.ts";
import { defineRoute, json } from "../route.ts";

const modelsAtOnce = 8;

export const listModels = ({ models }: App) =>
  defineRoute(
    {
      name: "listModels",
      method: "GET",
      path: "models",
      summary: "List the workspace's registered models with the versions that have a stage",
      answer: { status: 200, description: "The models", schema: ModelList },
    },
    async () => {
      const names = await models.names();
      const listed: ModelList["models"] = [];
      for (let start = 0; start < names.length; start += modelsAtOnce) {
        const batch = names.slice(start, start + modelsAtOnce);
        listed.push(...(await Promise.all(batch.map(async ({ name }) => toListed(name, await models.versions(name))))));
      }
      const list: ModelList = { models: listed };
      return json(200, list);
    },
  );
