// Files of a run's outputs on this machine: `{to}/{node}/{output}/{path}`. A file is whole or not there.
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RunDocument } from "#shared/domain/run.ts";
import { MlpipeError, isMlpipeError } from "#shared/errors.ts";
import type { Client } from "./client.ts";

export interface RemoteFile {
  readonly node: string;
  readonly output: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

export interface OutputFilter {
  readonly node?: string | undefined;
  readonly output?: string | undefined;
}

/** @throws MlpipeError `NotFound` when the run has no such node, or the node no such output. */
export async function listFiles(
  client: Client,
  document: RunDocument,
  { node, output }: OutputFilter,
): Promise<RemoteFile[]> {
  const { runId } = document;
  const names = document.nodes.map(({ name }) => name);
  if (node !== undefined && !names.includes(node)) {
    throw new MlpipeError("NotFound", `run ${runId} has no node \`${node}\`: it has ${names.join(", ")}`);
  }
  const files: RemoteFile[] = [];
  const known = new Set<string>();
  const ended = document.nodes.filter(({ name, outputs }) =>
    node === undefined ? outputs !== undefined : name === node,
  );
  for (const { name } of ended) {
    const list = await client.listOutputs(runId, name);
    for (const each of list.outputs) {
      known.add(each.output);
      if (output !== undefined && each.output !== output) continue;
      files.push(...each.files.map(({ path, size }) => ({ node: name, output: each.output, path, size })));
    }
  }
  if (output !== undefined && !known.has(output)) {
    throw new MlpipeError(
      "NotFound",
      `node \`${node}\` of run ${runId} has no output \`${output}\`: it has ${[...known].join(", ") || "none yet"}`,
    );
  }
  return files;
}

const attempts = 4;

/** Downloads one file, going on where a broken connection left it. Returns its path. @throws MlpipeError `Unavailable`. */
export async function downloadFile(client: Client, runId: string, file: RemoteFile, to: string): Promise<string> {
  const target = placeInside(to, file);
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  await rm(part, { force: true });
  for (let attempt = 1; ; attempt++) {
    const from = await sizeOf(part);
    // A range that starts at the end of a file is refused, an empty file has no other.
    if (from === file.size && (from > 0 || attempt > 1)) break;
    try {
      const response = await client.openOutput(runId, file.node, file.output, file.path, from);
      const isPartial = response.status === 206;
      const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
      await pipeline(body, createWriteStream(part, { flags: isPartial ? "a" : "w" }));
      if ((await sizeOf(part)) >= file.size) break;
    } catch (error) {
      if (isMlpipeError(error) && error.code !== "Unavailable") throw error;
      if (isDiskError(error)) throw error;
    }
    if (attempt === attempts)
      throw new MlpipeError("Unavailable", `${file.node}/${file.output}/${file.path} breaks off again and again`);
  }
  await rename(part, target);
  return target;
}

/** Names come from a job: none of them may lead out of the folder. */
function placeInside(to: string, { node, output, path }: RemoteFile): string {
  const root = resolve(to);
  const target = resolve(root, node, output, path);
  if (target.startsWith(`${root}${sep}`)) return target;
  throw new MlpipeError("InvalidRequest", `${node}/${output}/${path} would lie outside of ${to}; it is not downloaded`);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function isDiskError(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && ["ENOSPC", "EACCES", "EROFS", "EDQUOT"].includes(String(error.code))
  );
}
