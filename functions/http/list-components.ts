import { ComponentList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const listComponents = ({ registry }: App) =>
  defineRoute(
    {
      name: "listComponents",
      method: "GET",
      path: "components",
      summary: "The components registered in the workspace",
      answer: { status: 200, description: "Names and newest versions", schema: ComponentList },
    },
    async () => json(200, { components: await registry.components() }),
  );
