import { z } from "zod";
import { AssetVersion, ComponentDocument, ComponentName } from "#shared/api.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const getComponent = ({ registry }: App) =>
  defineRoute(
    {
      name: "getComponent",
      method: "GET",
      path: "components/{name}",
      summary: "One registered component: the version asked for, or the newest, and the names of all versions",
      params: z.object({ name: ComponentName }),
      query: z.object({ version: AssetVersion.optional() }),
      answer: { status: 200, description: "The component", schema: ComponentDocument },
    },
    async ({ params: { name }, query: { version } }) => {
      const versions = await registry.versions(name);
      const found = version === undefined ? versions[0] : versions.find((candidate) => candidate.version === version);
      if (found === undefined) {
        const known = versions.map((candidate) => candidate.version).join(", ");
        throw new MlpipeError(
          "NotFound",
          known === ""
            ? `There is no component ${name}`
            : `Component ${name} has no version ${version}; it has ${known}`,
        );
      }
      return json(200, { ...found, versions: versions.map((candidate) => candidate.version) });
    },
  );
