// Follows a run to its end by long-polling its document, and reads the metrics of the nodes that are running.
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import type { NodeMetrics } from "#shared/api.ts";
import { type NodeRun, type RunDocument, nodeStatusFacts, runStatusFacts } from "#shared/domain/run.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { Client } from "./client.ts";

export interface RunProgress {
  readonly document: RunDocument;
  /** Node name -> what it has logged so far. */
  readonly metrics: ReadonlyMap<string, z.infer<typeof NodeMetrics>>;
}

export interface Following {
  readonly client: Client;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
  /** The server does not answer for now (why), or does again (undefined). */
  readonly onSilence: (reason: string | undefined) => void;
}

const pollSeconds = 20;
const metricsMilliseconds = 1500;
/** Rests between two answers, so that a run of a thousand nodes is not drawn a thousand times a second. */
const restMilliseconds = 100;
const patienceMilliseconds = 120_000;
const nodesAtOnce = 8;

/**
 * The document of the run when it has ended.
 * @throws MlpipeError `Unavailable` when the server is silent for two minutes, or what it answers; the signal's reason.
 */
export async function followRun({ client, runId, signal, onProgress, onSilence }: Following): Promise<RunDocument> {
  const metrics = new Map<string, z.infer<typeof NodeMetrics>>();
  /** Nodes that ended and whose last metrics have been read. */
  const settled = new Set<string>();
  let document: RunDocument | undefined;
  const stop = new AbortController();
  const whileFollowing = AbortSignal.any([signal, stop.signal]);

  /** What cannot be read is not shown: metrics are a courtesy, the run does not depend on them. */
  async function readMetrics(nodes: readonly NodeRun[]): Promise<void> {
    await Promise.all(
      nodes.slice(0, nodesAtOnce).map(async ({ name, status }) => {
        if (nodeStatusFacts[status].isTerminal) settled.add(name);
        const answer = await client.getMetrics(runId, name, whileFollowing).catch(() => undefined);
        if (answer !== undefined) metrics.set(name, answer);
      }),
    );
  }

  async function pollMetrics(): Promise<void> {
    for (;;) {
      await sleep(metricsMilliseconds, undefined, { signal: whileFollowing }).catch(() => {});
      if (whileFollowing.aborted) return;
      // What the run knows of a job may be older than what the job has logged: one that counts as queued may be running.
      await readMetrics(document?.nodes.filter(({ status }) => status === "running" || status === "queued") ?? []);
      if (document !== undefined && !whileFollowing.aborted) onProgress({ document, metrics });
    }
  }

  const polling = pollMetrics();
  try {
    let etag: string | undefined;
    let silentSince: number | undefined;
    for (;;) {
      const answer = await client
        .waitForRun(runId, etag, { waitSeconds: pollSeconds, signal })
        .catch((error: unknown) => {
          if (!isMlpipeError(error) || error.code !== "Unavailable") throw error;
          silentSince ??= performance.now();
          if (performance.now() - silentSince > patienceMilliseconds) throw error;
          return error;
        });
      if (answer instanceof Error) {
        onSilence(answer.message);
        await sleep(2000, undefined, { signal });
        continue;
      }
      if (silentSince !== undefined) onSilence(undefined);
      silentSince = undefined;
      if (answer !== undefined) {
        ({ document, etag } = answer);
        const ended = document.nodes.filter(
          ({ name, status, attempt }) => nodeStatusFacts[status].isTerminal && attempt > 0 && !settled.has(name),
        );
        await readMetrics(ended);
        onProgress({ document, metrics });
        if (runStatusFacts[document.status].isTerminal) return document;
      }
      await sleep(etag === undefined ? 1000 : restMilliseconds, undefined, { signal });
    }
  } finally {
    stop.abort();
    await polling;
  }
}
