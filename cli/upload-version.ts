// Local files into the folder of a dataset's version, the marker that says it is whole last.
import { stat } from "node:fs/promises";
import { MlpipeError } from "#shared/errors.ts";
import type { CliContext } from "./context.ts";
import type { Client } from "./client.ts";
import { listLocalFiles } from "./hash-files.ts";
import { sendFile, sendFiles } from "./store-files.ts";
import { formatBytes } from "./views/format-bytes.ts";

/**
 * @returns the names of the files, relative to the version's folder, in the order they were written
 * @throws MlpipeError `InvalidRequest` when there is nothing to send
 */
export async function uploadVersion(
  { terminal }: CliContext,
  client: Client,
  { dataset, version, path }: { dataset: string; version: string; path: string },
): Promise<string[]> {
  const found = await listLocalFiles(path).catch(() => []);
  if (found.length === 0) throw new MlpipeError("InvalidRequest", `${path} is no file and no folder with files`);
  const files = await Promise.all(found.map(async (file) => ({ ...file, size: (await stat(file.localPath)).size })));
  const { declaration } = await client.getDataset(dataset);
  const ready = files.find((file) => file.path === declaration["ready"]);
  const data = files.filter((file) => file !== ready);
  const place = await client.requestDatasetUpload(dataset, version);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  terminal.err(terminal.colorsFor(terminal.stderr).dim(`Uploading ${path} (${formatBytes(bytes)}) to ${place.uri}`));
  await sendFiles(data, place);
  if (ready !== undefined) await sendFile(ready, place);
  return [...data, ...(ready === undefined ? [] : [ready])].map((file) => file.path);
}
