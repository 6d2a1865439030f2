// A blob event as Event Grid delivers it, read with suspicion: it may be doubled, early, about anybody's blob, or made up.
// https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
import { z } from "zod";
import { textHash } from "../text-hash.ts";

const BlobCreated = z.object({
  eventType: z.literal("Microsoft.Storage.BlobCreated"),
  subject: z.string().max(4_000),
  eventTime: z.string(),
  data: z.object({
    api: z.string().max(40),
    url: z.string().max(8_000),
    eTag: z.string().max(100).default(""),
    sequencer: z.string().max(200).default(""),
    contentLength: z.number().nonnegative().default(0),
  }),
});

/** A store that events are compared with. */
export interface Store {
  /** `https://account.blob.core.windows.net`, or with the account in the path; no trailing slash. */
  readonly accountUrl: string;
  readonly container: string;
}

export interface Upload {
  /** ISO 8601: when the blob was committed. */
  readonly time: string;
  /** The plain URL on the blob endpoint, percent-encoded. */
  readonly url: string;
  /** Without quotes. */
  readonly etag: string;
  /** Orders the writes of one blob when compared as text; padding removed. */
  readonly sequencer: string;
  readonly size: number;
  readonly api: string;
  /** As the event names it, not decoded. */
  readonly subject: string;
}

/** On a hierarchical namespace and over SFTP these come before the content; an event of its own follows. */
const tooEarly = new Set(["CreateFile", "SftpCreate"]);

/** @returns undefined for what is no finished upload */
export function readUploadEvent(event: unknown): Upload | undefined {
  const parsed = BlobCreated.safeParse(event);
  if (!parsed.success) return undefined;
  const { subject, eventTime, data } = parsed.data;
  const time = Date.parse(eventTime);
  if (tooEarly.has(data.api) || Number.isNaN(time)) return undefined;
  return {
    time: new Date(time).toISOString(),
    url: toBlobEndpoint(data.url),
    etag: plainEtag(data.eTag),
    sequencer: data.sequencer.replace(/^0+/, "").toLowerCase(),
    size: data.contentLength,
    api: data.api,
    subject,
  };
}

/** The blob's path in `store`, or undefined when the event is about another store or contradicts itself. */
export function pathInStore(upload: Upload, store: Store): string | undefined {
  const prefix = `${store.accountUrl.toLowerCase()}/${store.container}/`;
  const { url } = upload;
  if (url.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) return undefined;
  const path = decode(url.slice(prefix.length).split("?", 1)[0] ?? "");
  const subjectPrefix = `/blobServices/default/containers/${store.container}/blobs/`;
  if (path === "" || !upload.subject.startsWith(subjectPrefix)) return undefined;
  const said = upload.subject.slice(subjectPrefix.length);
  return said === path || decode(said) === path ? path : undefined;
}

/** The same for the same write of the same blob, however often and by whichever endpoint it is told. */
export async function uploadKey({ url, etag, sequencer }: Upload): Promise<string> {
  return (await textHash(JSON.stringify([url, etag, sequencer]))).slice(0, 20);
}

/** An ETag without quotes or weakness, as events and listings differ in both. */
export function plainEtag(etag: string): string {
  return etag.replace(/^W\//, "").replaceAll('"', "");
}

/** `account.dfs.core.windows.net` is the same account's other door. */
function toBlobEndpoint(url: string): string {
  return url.replace(/^(https?:\/\/[^/.]+)\.dfs\./i, "$1.blob.");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
