// What the pass-through adds to a call: small blobs read and written straight at Azurite and through it, by turns.
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient, StorageSharedKeyCredential, type BlockBlobClient } from "@azure/storage-blob";
import { findFreePorts } from "#local/free-ports.ts";
import type { StorageOptions } from "#local/storage/process.ts";

const rounds = Number(process.argv[2] ?? 500);
const stateFolder = await mkdtemp(join(tmpdir(), "mlpipe-bench-"));
const [port = 0, azuritePort = 0] = await findFreePorts(2);
const [accountName, accountKey] = ["bench", randomBytes(64).toString("base64")];
const options: StorageOptions = {
  stateFolder,
  port,
  azuritePort,
  accountName,
  accountKey,
  topic: "/bench",
  token: "bench",
  subscriptions: [],
};
const child = fork(new URL("../local/storage/process.ts", import.meta.url), [], {
  execArgv: [],
});
child.send(options);
await once(child, "message");

const credential = new StorageSharedKeyCredential(accountName, accountKey);
const clientAt = (at: number) => new BlobServiceClient(`http://127.0.0.1:${at}/${accountName}`, credential);
await clientAt(port).createContainer("bench");
const blobAt = (at: number) => clientAt(at).getContainerClient("bench").getBlockBlobClient("blob");

const calls: Record<string, (blob: BlockBlobClient) => Promise<unknown>> = {
  read: (blob) => blob.downloadToBuffer(),
  head: (blob) => blob.getProperties(),
  write: (blob) => blob.upload("x".repeat(1000), 1000),
};
const [direct, through] = [blobAt(azuritePort), blobAt(port)];
await through.upload("x", 1);
for (const [name, call] of Object.entries(calls)) {
  const times: { direct: number[]; through: number[] } = { direct: [], through: [] };
  for (let i = 0; i < rounds + 50; i++) {
    for (const [way, blob] of [
      ["direct", direct],
      ["through", through],
    ] as const) {
      const start = performance.now();
      await call(blob);
      if (i >= 50) times[way].push(performance.now() - start);
    }
  }
  const [before, after] = [median(times.direct), median(times.through)];
  console.log(
    `${name}: direct ${before.toFixed(2)} ms, through ${after.toFixed(2)} ms, added ${(after - before).toFixed(2)} ms (medians of ${rounds})`,
  );
}
child.disconnect();
await once(child, "exit");
await rm(stateFolder, { recursive: true, force: true });

function median(values: number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
