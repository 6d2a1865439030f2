import { z } from "zod";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { readableOutputs } from "../readable-outputs.ts";
import { defineRoute } from "../route.ts";
import { NodeParams } from "./get-node.ts";

export const downloadNodeOutput = ({ runs, blobs }: App) =>
  defineRoute(
    {
      name: "downloadNodeOutput",
      method: "GET",
      path: "runs/{runId}/nodes/{node}/outputs/{output}/{*path}",
      summary: "One file of a node's output, whole or by one byte range",
      params: NodeParams.extend({ output: z.string(), path: z.string().default("") }),
      headers: { Range: "`bytes=from-to`, `bytes=from-` or `bytes=-last`" },
      answer: {
        status: 200,
        description: "The file; 206 with `Content-Range` for a range",
        contentType: "application/octet-stream",
      },
    },
    async ({ params, headers, client }) => {
      const node = await runs.getNode(client, params.runId, params.node);
      const outputs = readableOutputs(node);
      const uri = outputs[params.output];
      if (uri === undefined) {
        const known = Object.keys(outputs).join(", ");
        throw new MlpipeError(
          "NotFound",
          `Node ${params.node} has no output ${params.output}${known === "" ? " yet" : `; it has ${known}`}`,
        );
      }
      const place = parseDatastoreUri(uri);
      if (place === undefined)
        throw new MlpipeError(
          "NotFound",
          `Output ${params.output} does not lie in a datastore of the workspace: ${uri}`,
        );
      const path = uri.endsWith("/") ? `${place.path}${params.path}` : place.path;
      const size = await blobs.size(path, place.datastore);
      if (size === undefined) throw new MlpipeError("NotFound", `Output ${params.output} has no file ${params.path}`);
      const range = parseRange(headers.get("range"), size);
      if (range === "unsatisfiable") return { status: 416, headers: { "content-range": `bytes */${size}` } };
      const { offset, count } = range ?? { offset: 0, count: size };
      const download = size === 0 ? undefined : await blobs.read(path, offset, count, place.datastore);
      return {
        status: range === undefined ? 200 : 206,
        headers: {
          "content-type": download?.contentType ?? "application/octet-stream",
          "content-length": String(count),
          "accept-ranges": "bytes",
          ...(range === undefined ? {} : { "content-range": `bytes ${offset}-${offset + count - 1}/${size}` }),
        },
        body: download?.stream ?? "",
      };
    },
  );

/** One range of RFC 9110 section 14; anything else of that header is ignored, as the RFC allows. */
function parseRange(
  header: string | null,
  size: number,
): { offset: number; count: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return offset > end ? "unsatisfiable" : { offset, count: end - offset + 1 };
}
