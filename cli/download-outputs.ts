// Files of a run's outputs on this machine: `{to}/{node}/{output}/{path}`. A file is whole or not there.
import { createWriteStream } from "node:fs";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
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
      // `default` holds logs and the like: only for who asks for it.
      if (output === undefined ? each.output === jobLeavings : each.output !== output) continue;
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

/** Azure ML's name for what a job leaves besides its outputs. */
export const jobLeavings = "default";

/** Attempts in a row that bring nothing. */
const fruitlessAttempts = 4;

/** Downloads one file, going on where a broken connection left it. Returns its path. @throws MlpipeError `Unavailable`. */
export async function downloadFile(client: Client, runId: string, file: RemoteFile, to: string): Promise<string> {
  const target = placeInside(to, file);
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(part, "");
  let from = 0;
  for (let fruitless = 0; from < file.size;) {
    await fetchRest(client, runId, file, part, from);
    const size = (await stat(part)).size;
    fruitless = size > from ? 0 : fruitless + 1;
    from = size;
    if (fruitless === fruitlessAttempts) {
      throw new MlpipeError("Unavailable", `${file.node}/${file.output}/${file.path} breaks off again and again`);
    }
    if (fruitless > 0) await sleep(500 * fruitless);
  }
  await rename(part, target);
  return target;
}

/** Adds to `part` what the connection brings before it ends or breaks. */
async function fetchRest(client: Client, runId: string, file: RemoteFile, part: string, from: number): Promise<void> {
  const { node, output, path } = file;
  const response = await client.openOutput(runId, node, output, path, from).catch((error: unknown) => {
    if (isMlpipeError(error) && error.code === "Unavailable") return undefined;
    throw error;
  });
  if (response === undefined || response.body === null) return;
  // A server that knows no ranges sends all of it again.
  const flags = response.status === 206 ? "a" : "w";
  await pipeline(Readable.fromWeb(response.body), createWriteStream(part, { flags })).catch((error: unknown) => {
    const isOfDisk =
      error instanceof Error && "syscall" in error && (error.syscall === "write" || error.syscall === "open");
    if (isOfDisk) throw error;
  });
}

/** Names come from a job: none of them may lead out of the folder. */
function placeInside(to: string, { node, output, path }: RemoteFile): string {
  const root = resolve(to);
  const target = resolve(root, node, output, path);
  if (target.startsWith(`${root}${sep}`)) return target;
  throw new MlpipeError("InvalidRequest", `${node}/${output}/${path} would lie outside of ${to}; it is not downloaded`);
}
