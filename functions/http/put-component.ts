import { z } from "zod";
import { AssetVersion, ComponentDocument, ComponentName, RegisterRequest } from "#shared/api.ts";
import { parseComponent } from "#shared/domain/load-component.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { withoutLocalFiles } from "../inline-pipeline.ts";
import { defineRoute, json } from "../route.ts";

export const putComponent = ({ registry }: App) =>
  defineRoute(
    {
      name: "putComponent",
      method: "PUT",
      path: "components/{name}",
      summary: "Register a component in the workspace; the same content twice is one version",
      params: z.object({ name: ComponentName }),
      query: z.object({ version: AssetVersion.optional() }),
      body: RegisterRequest,
      answer: { status: 200, description: "What the registry holds", schema: ComponentDocument },
    },
    async ({ params, query, body }) => {
      const loaded = await parseComponent(body.document);
      const document = withoutLocalFiles(loaded);
      if (document.name !== params.name)
        throw new MlpipeError(
          "InvalidRequest",
          `name: the component is called ${String(document.name)}, the route ${params.name}`,
        );
      const own = AssetVersion.safeParse(
        typeof document.version === "number" ? `${document.version}` : document.version,
      );
      const version = query.version ?? own.data;
      return json(200, await registry.putComponent(params.name, version, { ...document }));
    },
  );
