import type { DurableClient } from "durable-functions";
import type { App } from "../app.ts";
import type { Advance, VersionName } from "../dataset-arrivals.ts";

/** The body of `advanceDataset`. */
export function createAdvanceDataset({ arrivals }: Pick<App, "arrivals">) {
  return async function advanceDataset(name: VersionName, client: DurableClient): Promise<Advance> {
    return arrivals.advance(client, name);
  };
}
