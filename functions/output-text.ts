// Reads a small value that a program wrote into an output's file.
import type { Blobs } from "#shared/azure/blob.ts";
import { parseDatastoreUri } from "#shared/domain/datastore-uri.ts";
import { literalIn } from "#shared/domain/literal-uri.ts";
import { MlpipeError } from "#shared/errors.ts";

export type OutputText = ReturnType<typeof createOutputText>;

export function createOutputText({ blobs }: { blobs: Blobs }) {
  /**
   * The text at `uri`, without the line break that programs like to end it with.
   *
   * @param what names it in errors
   * @throws MlpipeError `NotFound` when there is none, `InvalidRequest` when it has more than `limit` bytes or lies where it cannot be read
   */
  return async function readOutputText(uri: string, what: string, limit = 64 * 1024): Promise<string> {
    const held = literalIn(uri);
    if (held !== undefined) return held;
    const place = parseDatastoreUri(uri);
    if (place === undefined)
      throw new MlpipeError(
        "InvalidRequest",
        `${what} lies in no datastore of the workspace, so its value cannot be read`,
      );
    const size = await blobs.size(place.path, place.datastore);
    if (size === undefined) throw new MlpipeError("NotFound", `${what} was not written`);
    if (size > limit) throw new MlpipeError("InvalidRequest", `${what} has ${size} bytes; a value may have ${limit}`);
    const text = await blobs.readText(place.path, place.datastore);
    if (text === undefined) throw new MlpipeError("NotFound", `${what} was not written`);
    return text.replace(/\r?\n$/, "");
  };
}
