// Events on their way, on disk: whoever publishes one and is killed before it was delivered finds it again at the next start, as
// the service, which promises at least one delivery, would.
import { DatabaseSync } from "node:sqlite";
import type { EventGridEvent } from "./event-delivery.ts";

export interface Outbox {
  /** @returns how the event is called here */
  add(subscription: string, event: EventGridEvent): number;
  remove(id: number): void;
  /** What was added and not removed, oldest first. */
  pending(subscription: string): { readonly id: number; readonly event: EventGridEvent; readonly since: number }[];
  close(): void;
}

/** @param file made where it is missing; `:memory:` forgets */
export function openOutbox(file: string): Outbox {
  const database = new DatabaseSync(file, { timeout: 5000 });
  // What was committed outlives a kill of the process, if not a power cut.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec(
    "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, subscription TEXT NOT NULL, event TEXT NOT NULL, since INTEGER NOT NULL) STRICT",
  );
  const add = database.prepare("INSERT INTO outbox (subscription, event, since) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM outbox WHERE id = ?");
  const pending = database.prepare("SELECT id, event, since FROM outbox WHERE subscription = ? ORDER BY id");
  return {
    add: (subscription, event) => Number(add.run(subscription, JSON.stringify(event), Date.now()).lastInsertRowid),
    remove: (id) => void remove.run(id),
    pending: (subscription) =>
      pending.all(subscription).map(({ id, event, since }) => ({
        id: Number(id),
        event: JSON.parse(String(event)) as EventGridEvent,
        since: Number(since),
      })),
    close: () => database.close(),
  };
}
