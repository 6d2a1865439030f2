import { OutputList } from "#shared/api.ts";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import type { App } from "../app.ts";
import { readableOutputs } from "../readable-outputs.ts";
import { defineRoute, json } from "../route.ts";
import { NodeParams } from "./get-node.ts";

export const listNodeOutputs = ({ runs, blobs }: App) =>
  defineRoute(
    {
      name: "listNodeOutputs",
      method: "GET",
      path: "runs/{runId}/nodes/{node}/outputs",
      summary:
        "The files of a node's outputs; `default` is what its job leaves besides them: pictures, `./outputs`, logs",
      params: NodeParams,
      answer: { status: 200, description: "Files by output", schema: OutputList },
    },
    async ({ params, client }) => {
      const node = await runs.getNode(client, params.runId, params.node);
      const outputs = await Promise.all(
        Object.entries(readableOutputs(node)).map(async ([output, uri]) => {
          const place = parseDatastoreUri(uri);
          if (place === undefined) return { output, uri, files: [] };
          const files = uri.endsWith("/")
            ? await blobs.list(place.path, 10_000, place.datastore)
            : await blobs.listFile(place.path, place.datastore);
          return { output, uri, files };
        }),
      );
      return json(200, { outputs } satisfies OutputList);
    },
  );
