import { ModelList, PageOfNames } from "#shared/api.ts";
import type { App } from "../app.ts";
import { inBatches } from "../in-batches.ts";
import { pageByName } from "../page-by-name.ts";
import { toListed } from "../promotion/model-documents.ts";
import { defineRoute, json } from "../route.ts";

export const listModels = ({ models }: App) =>
  defineRoute(
    {
      name: "listModels",
      method: "GET",
      path: "models",
      summary: "List the workspace's registered models with the versions that have a stage",
      query: PageOfNames,
      answer: { status: 200, description: "The models", schema: ModelList },
    },
    async ({ query, origin }) => {
      const { page, nextLink } = pageByName(await models.names(), query, `${origin}/api/models`);
      const listed = await inBatches(page, async ({ name }) => toListed(name, await models.versions(name)));
      const list: ModelList = { models: listed, ...(nextLink === undefined ? {} : { nextLink }) };
      return json(200, list);
    },
  );
