// What stays of a run when its history has aged out: its last document, beside its plan, and a line in a calendar of archived runs
// by which those are found whose outputs may go as well. Both stay for good: they are small, and they keep a key, a tick or a
// dataset version that started the run from ever starting it again.
import type { Blobs } from "#shared/azure/blob.ts";
import type { Records } from "#shared/azure/records.ts";
import { runFolder } from "#shared/domain/layout.ts";
import { RunDocument, RunId } from "#shared/domain/run.ts";

const calendarFolder = "mlpipe/archive/";
const pageSize = 1_000;

export type RunArchive = ReturnType<typeof createRunArchive>;

const recordPath = (runId: string) => `${runFolder(runId)}.record.json`;
const calendarPath = (runId: string, endTime: string) => `${calendarFolder}${endTime.slice(0, 10)}/${runId}`;

export function createRunArchive({
  blobs,
  records,
}: {
  blobs: Pick<Blobs, "readText" | "writeText">;
  records: Records;
}) {
  async function find(runId: string): Promise<RunDocument | undefined> {
    const text = await blobs.readText(recordPath(runId));
    return text === undefined ? undefined : RunDocument.parse(JSON.parse(text));
  }

  return {
    /** The document of a run whose history has aged out. */
    find,

    /** Keeps a run's last document; written again, it is the same. */
    async keep(document: RunDocument, archivedTime: string): Promise<void> {
      const { runId, endTime = document.lastUpdatedTime } = document;
      await records.replace(calendarPath(runId, endTime), "", undefined);
      const kept: RunDocument = { ...document, nodes: document.nodes.map(withoutLog), archivedTime };
      await blobs.writeText(recordPath(runId), JSON.stringify(kept));
    },

    /** Says for good that a run's outputs are gone. */
    async forgetOutputs(document: RunDocument, outputsRemovedTime: string): Promise<void> {
      const { runId, endTime = document.lastUpdatedTime } = document;
      await blobs.writeText(recordPath(runId), JSON.stringify({ ...document, outputsRemovedTime }));
      await records.remove(calendarPath(runId, endTime));
    },

    /** Archived runs that ended before `before` (milliseconds), or later that day, and still have their outputs; oldest first. */
    async *ended(before: number): AsyncGenerator<string, void> {
      for (const day of (await records.folders(calendarFolder)).toSorted()) {
        if (!(Date.parse(`${day}T00:00:00Z`) < before)) continue;
        let continuation: string | undefined;
        do {
          const page = await records.page(`${calendarFolder}${day}/`, pageSize, continuation);
          for (const { path } of page.entries) {
            const runId = RunId.safeParse(path.slice(path.lastIndexOf("/") + 1));
            if (runId.success) yield runId.data;
          }
          continuation = page.continuation;
        } while (continuation !== undefined);
      }
    },
  };
}

/** The end of a job's log is kept by the workspace as long as the job is. */
function withoutLog(node: RunDocument["nodes"][number]): RunDocument["nodes"][number] {
  if (node.failure === undefined) return node;
  const { logTail: _tail, ...failure } = node.failure;
  return { ...node, failure };
}
