// The durations of completed jobs, one empty blob each: its name says of which node and how new it is, its metadata how long it
// took. Written without being read, and told twice it is the same blob; a page of names is the history of a whole pipeline.
import { createHash } from "node:crypto";
import type { Records, RecordEntry } from "#shared/azure/records.ts";
import { countedDurations, type Duration } from "#shared/domain/cost/durations.ts";
import { durationsFolder } from "#shared/domain/layout.ts";

const pageSize = 5_000;
/** Pages that are read of one pipeline. */
const mostPages = 10;
/** Newer ones come first in the order of names. */
const lastMs = 9_999_999_999_999;

export type Durations = ReturnType<typeof createDurations>;

export function createDurations({ records }: { records: Pick<Records, "replace" | "page"> }) {
  return {
    /** Keeps what a job of a pipeline's node took. @param endTime ISO 8601 */
    async note(pipeline: string, node: string, jobName: string, endTime: string, duration: Duration): Promise<void> {
      const age = String(lastMs - Date.parse(endTime)).padStart(13, "0");
      const job = createHash("sha256").update(jobName).digest("hex").slice(0, 12);
      const { component, size, queued, machine, preparing } = duration;
      await records.replace(`${durationsFolder(pipeline)}${node}/${age}-${job}`, "", undefined, {
        component: encodeURIComponent(component),
        ...(size === undefined ? {} : { size: encodeURIComponent(size) }),
        queued: String(queued),
        machine: String(machine),
        ...(preparing === undefined ? {} : { preparing: String(preparing) }),
      });
    },

    /** The newest durations of each node of a pipeline, by the node's name in the plan. */
    async of(pipeline: string): Promise<Map<string, Duration[]>> {
      const folder = durationsFolder(pipeline);
      const found = new Map<string, Duration[]>();
      let continuation: string | undefined;
      for (let pages = 0; pages < mostPages; pages += 1) {
        const page = await records.page(folder, pageSize, continuation);
        for (const entry of page.entries) {
          const node = entry.path.slice(folder.length, entry.path.lastIndexOf("/"));
          const known = found.get(node) ?? [];
          if (known.length < countedDurations) known.push(read(entry));
          found.set(node, known);
        }
        continuation = page.continuation;
        if (continuation === undefined) break;
      }
      return found;
    },
  };
}

function read({ metadata }: RecordEntry): Duration {
  const { component = "", size, queued, machine, preparing } = metadata;
  return {
    component: decodeURIComponent(component),
    size: size === undefined ? undefined : decodeURIComponent(size),
    queued: Number(queued ?? 0),
    machine: Number(machine ?? 0),
    ...(preparing === undefined ? {} : { preparing: Number(preparing) }),
  };
}
