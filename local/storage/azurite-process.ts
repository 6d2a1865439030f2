// The process Azurite runs in: its blob service as published, its metadata kept on disk, gone when its parent is.
import { mkdirSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { takeFolderLock } from "../folder-lock.ts";
import { keepCompiledSoon } from "../keep-compiled.ts";
import { keepJournal, type LokiDatabase } from "./loki-journal.ts";

/** Azurite keeps its metadata in two of them. */
interface Database extends LokiDatabase {
  autosaveDisable(): void;
  autosaveDirty(): boolean;
  getCollection(name: string): Collection | null;
}

interface Collection {
  findOne(query: object): unknown;
}

interface BlobServer {
  readonly metadataStore: { readonly db: Database };
  readonly extentMetadataStore: { readonly db: Database };
  start(): Promise<void>;
}

const require = createRequire(import.meta.url);

// Three quarters of what Azurite loads is a telemetry client that is started by its own command line alone, and never here.
const telemetry = "applicationinsights";
const nothing = "embedded:nothing";
registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === telemetry
      ? { url: nothing, format: "commonjs", shortCircuit: true }
      : nextResolve(specifier, context),
  load: (url, context, nextLoad) =>
    url === nothing ? { format: "commonjs", source: "", shortCircuit: true } : nextLoad(url, context),
});

// Azurite publishes no types and no library entry: these are the constructors its own command line calls.
function createBlobServer(folder: string, port: number): BlobServer {
  const { default: Configuration } = require("azurite/dist/src/blob/BlobConfiguration.js");
  const { default: Server } = require("azurite/dist/src/blob/BlobServer.js");
  const keepAliveSeconds = 120;
  const extents = [{ locationId: "Default", locationPath: join(folder, "blobs"), maxConcurrency: 50 }];
  const noAccessLog = [false, undefined] as const;
  const noDebugLog = [false, undefined] as const;
  const [isLoose, skipsApiVersionCheck] = [false, true];
  const noCertificate = ["", "", ""] as const;
  const noOauth = undefined;
  const isAccountAlwaysInPath = true;
  return new Server(
    new Configuration(
      "127.0.0.1",
      port,
      keepAliveSeconds,
      join(folder, "metadata.json"),
      join(folder, "extents.json"),
      extents,
      ...noAccessLog,
      ...noDebugLog,
      isLoose,
      skipsApiVersionCheck,
      ...noCertificate,
      noOauth,
      isAccountAlwaysInPath,
    ),
  );
}

// Azurite asks for a blob by account, container, name, in this order; LokiJS narrows down in the order of the question,
// so every call walks through all blobs of the account. With the name first ten thousand blobs cost no more than ten.
function askForNamesFirst(database: Database): void {
  const collection = database.getCollection("$BLOBS_COLLECTION$");
  if (collection === null) return;
  const findOne = collection.findOne.bind(collection);
  collection.findOne = (query) => findOne({ ...("name" in query ? { name: query.name } : {}), ...query });
}

// A save writes everything, so the pause grows with it: a second while the account is small, never above a twentieth of the time.
async function saveOften(databases: readonly Database[]): Promise<never> {
  for (const database of databases) database.autosaveDisable();
  for (;;) {
    const start = performance.now();
    await Promise.all(databases.filter((database) => database.autosaveDirty()).map(save));
    await delay(Math.max(1000, 19 * (performance.now() - start)), undefined, { ref: false });
  }
}

function save(database: Database): Promise<void> {
  return new Promise((resolve, reject) => database.saveDatabase((error) => (error ? reject(error) : resolve())));
}

async function main(): Promise<void> {
  const folder = process.argv[2] ?? "";
  const port = Number(process.argv[3]);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // One before us may still be saving: two writers would destroy the account.
  if (takeFolderLock(join(folder, "azurite.lock"), 15_000) === undefined) {
    throw new Error(`another Azurite works in ${folder}`);
  }
  const server = createBlobServer(folder, port);
  // All that was acknowledged is in the journals.
  process.once("disconnect", () => process.exit(0));
  const databases = [server.extentMetadataStore.db, server.metadataStore.db];
  for (const database of databases) keepJournal(database);
  await server.start();
  askForNamesFirst(server.metadataStore.db);
  void saveOften(databases).catch((error: unknown) => {
    console.error(`Azurite cannot save its metadata: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  });
  process.send?.({ type: "ready" });
  keepCompiledSoon();
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message);
  if (process.send === undefined) process.exit(1);
  process.send({ type: "failed", message }, () => process.exit(1));
});
