import { ComponentList, PageOfNames } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { pageByName } from "../page-by-name.ts";

export const listComponents = ({ registry }: App) =>
  defineRoute(
    {
      name: "listComponents",
      method: "GET",
      path: "components",
      summary: "The components registered in the workspace",
      query: PageOfNames,
      answer: { status: 200, description: "Names and newest versions", schema: ComponentList },
    },
    async ({ query, origin }) => {
      const { page, nextLink } = pageByName(await registry.components(), query, `${origin}/api/components`);
      return json(200, { components: page, ...(nextLink === undefined ? {} : { nextLink }) });
    },
  );
