import { z } from "zod";
import { AssetVersionList, ComponentName } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const listComponentVersions = ({ registry }: App) =>
  defineRoute(
    {
      name: "listComponentVersions",
      method: "GET",
      path: "components/{name}/versions",
      summary: "The versions of a component, newest first",
      params: z.object({ name: ComponentName }),
      query: z.object({ limit: z.coerce.number().int().min(1).max(5000).default(1000) }),
      answer: { status: 200, description: "The newest versions", schema: AssetVersionList },
    },
    async ({ params: { name }, query: { limit } }) => {
      const versions = await registry.componentVersions(name, limit);
      if (versions.length === 0) throw new MlpipeError("NotFound", `There is no component ${name}`);
      return json(200, { name, versions } satisfies AssetVersionList);
    },
  );
