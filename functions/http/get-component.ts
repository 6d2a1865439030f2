import { z } from "zod";
import { AssetVersion, ComponentDocument, ComponentName } from "#shared/api.ts";
import { nearestName } from "#shared/domain/nearest-name.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

/** Versions that are named with a component. */
const namedVersions = 100;

export const getComponent = ({ registry }: App) =>
  defineRoute(
    {
      name: "getComponent",
      method: "GET",
      path: "components/{name}",
      summary: "One registered component: the version asked for, or the newest, and the names of the newest versions",
      params: z.object({ name: ComponentName }),
      query: z.object({ version: AssetVersion.optional() }),
      answer: { status: 200, description: "The component", schema: ComponentDocument },
    },
    async ({ params: { name }, query: { version } }) => {
      const [found, versions] = await Promise.all([
        registry.component(name, version),
        registry.componentVersions(name, namedVersions),
      ]);
      const known = versions.map((candidate) => candidate.version);
      if (found !== undefined) return json(200, { ...found, versions: known });
      if (known.length > 0)
        throw new MlpipeError("NotFound", `Component ${name} has no version ${version}; it has ${known.join(", ")}`);
      const near = nearestName(
        name,
        (await registry.components()).map((each) => each.name),
      );
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      throw new MlpipeError("NotFound", `There is no component ${name}${hint}`);
    },
  );
