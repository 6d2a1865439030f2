// A job's own log: standard output and error, as Azure ML keeps them in the workspace's artifact store.
import type { Blobs } from "#shared/azure/blob.ts";
import { artifactDatastore, artifactFolder } from "#shared/domain/layout.ts";
import { withoutSecrets } from "#shared/log.ts";

export type JobLogs = ReturnType<typeof createJobLogs>;

export function createJobLogs({ blobs }: { blobs: Blobs }) {
  const pathOf = (jobName: string) => `${artifactFolder(jobName)}user_logs/std_log.txt`;
  return {
    /** Bytes written so far; 0 before the first. */
    size: async (jobName: string): Promise<number> => (await blobs.size(pathOf(jobName), artifactDatastore)) ?? 0,

    /** A stream from byte `offset`, at most `count` bytes; undefined when nothing is there yet. */
    read: async (jobName: string, offset: number, count: number) =>
      (await blobs.read(pathOf(jobName), offset, count, artifactDatastore))?.stream,

    /** The last `lines` lines, without credentials; empty when there is no log. */
    async tail(jobName: string, lines = 20): Promise<string[]> {
      const size = await this.size(jobName);
      if (size === 0) return [];
      const stream = await this.read(jobName, Math.max(0, size - 16_384), 16_384);
      if (stream === undefined) return [];
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
      const text = Buffer.concat(chunks).toString("utf8").trimEnd();
      return text
        .split("\n")
        .slice(-lines)
        .map((line) => withoutSecrets(line.slice(-500)));
    },
  };
}
