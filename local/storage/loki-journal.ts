// Azurite keeps its metadata in memory and writes all of it to a file now and then: whatever it acknowledged in between would die
// with it. So every change is appended to a journal before Azurite can answer, and what a killed process did not save is played
// back by the next. An append is in the operating system's hands at once: only a power cut may take the last ones back.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The parts of LokiJS that count here. */
export interface LokiDatabase {
  readonly filename: string;
  readonly collections: readonly LokiCollection[];
  loadDatabase(options: object, callback: (error?: Error) => void): void;
  saveDatabase(callback?: (error?: Error) => void): void;
}

interface LokiCollection {
  readonly name: string;
  readonly uniqueNames: readonly string[];
  data: Document[];
  maxId: number;
  idIndex: number[] | null;
  dirty: boolean;
  ensureId(): void;
  ensureAllIndexes(force: boolean): void;
  ensureUniqueIndex(field: string): void;
  on(event: "insert" | "update" | "delete", listener: (changed: Document | Document[]) => void): void;
}

interface Document {
  readonly $loki: number;
}

/** A document as it has become, or the id of one that is gone. */
type Entry = { readonly in: string; readonly put: Document } | { readonly in: string; readonly gone: number };

/** Makes the database durable; to be called before it is loaded. */
export function keepJournal(database: LokiDatabase): void {
  const folder = dirname(database.filename);
  const prefix = `${basename(database.filename)}.journal.`;
  const fileOf = (number: number) => join(folder, prefix + number);
  const numbers = () =>
    readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => Number(name.slice(prefix.length)))
      .toSorted((a, b) => a - b);
  const load = database.loadDatabase.bind(database);
  const save = database.saveDatabase.bind(database);
  const watched = new Set<LokiCollection>();
  let descriptor: number | undefined;

  database.loadDatabase = (options, callback) =>
    load(options, (error) => {
      if (error === undefined || error === null) for (const number of numbers()) replay(database, fileOf(number));
      callback(error);
    });

  // What is written while a save is on its way may or may not be in it: it goes to a journal that outlives the save. To play
  // back what a save already holds does no harm, as long as all that came after it is played back, too.
  database.saveDatabase = (callback) => {
    const older = numbers();
    const next = openSync(fileOf((older.at(-1) ?? 0) + 1), "a", 0o600);
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = next;
    for (const collection of database.collections) watch(collection);
    save((error) => {
      if (error === undefined || error === null) for (const number of older) rmSync(fileOf(number), { force: true });
      callback?.(error);
    });
  };

  function watch(collection: LokiCollection): void {
    if (watched.has(collection)) return;
    watched.add(collection);
    const each = (changed: Document | Document[]) => (Array.isArray(changed) ? changed : [changed]);
    const put = (changed: Document | Document[]) => {
      for (const document of each(changed)) write({ in: collection.name, put: document });
    };
    collection.on("insert", put);
    collection.on("update", put);
    collection.on("delete", (changed) => {
      for (const { $loki } of each(changed)) write({ in: collection.name, gone: $loki });
    });
    // LokiJS tells of documents removed in bulk only where more than one listens.
    collection.on("delete", () => undefined);
  }

  function write(entry: Entry): void {
    if (descriptor !== undefined) writeSync(descriptor, `${JSON.stringify(entry)}\n`);
  }
}

function replay(database: LokiDatabase, file: string): void {
  // A process that was killed in the middle of a line has not answered yet.
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
  const byCollection = Map.groupBy(
    whole.map((line) => JSON.parse(line) as Entry),
    (entry) => entry.in,
  );
  for (const collection of database.collections) {
    const entries = byCollection.get(collection.name);
    if (entries === undefined) continue;
    const documents = new Map(collection.data.map((document) => [document.$loki, document]));
    for (const entry of entries) {
      if ("gone" in entry) documents.delete(entry.gone);
      else documents.set(entry.put.$loki, entry.put);
      collection.maxId = Math.max(collection.maxId, "put" in entry ? entry.put.$loki : 0);
    }
    collection.data = [...documents.values()].toSorted((a, b) => a.$loki - b.$loki);
    collection.idIndex = null;
    collection.ensureId();
    collection.ensureAllIndexes(true);
    for (const field of collection.uniqueNames) collection.ensureUniqueIndex(field);
    collection.dirty = true;
  }
}
