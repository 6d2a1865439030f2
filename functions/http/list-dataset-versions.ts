import { z } from "zod";
import { DatasetName, VersionList } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const listDatasetVersions = ({ versions }: App) =>
  defineRoute(
    {
      name: "listDatasetVersions",
      method: "GET",
      path: "datasets/{name}/versions",
      summary: "Versions that have arrived, by name",
      params: z.object({ name: DatasetName }),
      query: z.object({
        limit: z.coerce.number().int().min(1).max(200).default(50),
        continuation: z.string().max(4_000).optional(),
      }),
      answer: { status: 200, description: "A page of versions", schema: VersionList },
    },
    async ({ params: { name }, query, origin }) => {
      const page = await versions.page(name, query.limit, query.continuation);
      const stored = await Promise.all(page.versions.map((version) => versions.read(name, version)));
      const list = stored.flatMap((one): VersionList["versions"] => {
        const last = one?.record.arrivals.at(-1);
        if (one === undefined || last === undefined) return [];
        const { number, status, time, runId } = last;
        const run = runId === undefined ? {} : { runId };
        return [{ version: one.record.version, arrivals: number, status, time, ...run }];
      });
      if (page.continuation === undefined) return json(200, { versions: list } satisfies VersionList);
      const next = new URLSearchParams({ limit: String(query.limit), continuation: page.continuation });
      const nextLink = `${origin}/api/datasets/${name}/versions?${next.toString()}`;
      return json(200, { versions: list, nextLink } satisfies VersionList);
    },
  );
