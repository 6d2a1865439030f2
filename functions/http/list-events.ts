import { z } from "zod";
import { DatasetName, type EventDocument, EventList, Fate } from "#shared/api.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";
import { createTeller } from "../told-events.ts";

/** Pages of the record that one filtered request reads. */
const pagesPerRequest = 20;

export const listEvents = ({ events, versions }: App) =>
  defineRoute(
    {
      name: "listEvents",
      method: "GET",
      path: "events",
      summary: "What was uploaded and what became of it, newest first",
      query: z.object({
        /** With a filter a page may hold fewer, or a few more; `nextLink` says whether there is more. */
        limit: z.coerce.number().int().min(1).max(500).default(50),
        dataset: DatasetName.optional(),
        version: z.string().max(200).optional(),
        fate: Fate.optional(),
        continuation: z.string().max(4_000).optional(),
      }),
      answer: { status: 200, description: "A page of events", schema: EventList },
    },
    async ({ query, origin }) => {
      const { limit, dataset, version, fate } = query;
      const tell = createTeller(versions);
      const isWanted = (event: EventDocument) =>
        (dataset === undefined || event.dataset === dataset) &&
        (version === undefined || event.version === version) &&
        (fate === undefined || event.fate === fate);
      const found: EventDocument[] = [];
      let { continuation } = query;
      for (let pages = 0; pages < pagesPerRequest; pages += 1) {
        const page = await events.page(limit, continuation);
        const told = await Promise.all(page.entries.map(tell));
        found.push(...told.filter(isWanted));
        ({ continuation } = page);
        if (continuation === undefined || found.length >= limit) break;
      }
      if (continuation === undefined) return json(200, { events: found } satisfies EventList);
      const next = new URLSearchParams({ limit: String(limit), continuation });
      for (const [name, value] of Object.entries({ dataset, version, fate }))
        if (value !== undefined) next.set(name, value);
      return json(200, { events: found, nextLink: `${origin}/api/events?${next.toString()}` } satisfies EventList);
    },
  );
