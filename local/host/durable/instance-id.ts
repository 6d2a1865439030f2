// Ids that survive every place an id goes through: URLs, storage keys, log lines.
import { createHash } from "node:crypto";

const pattern = /^[A-Za-z0-9_:.-]{1,100}$/;

/** Whether an id may name an orchestration here. The cloud takes more, and breaks on some of it in URLs and storage keys. */
export function isInstanceId(id: string): boolean {
  return pattern.test(id);
}

export const instanceIdRule = "an instance id is 1 to 100 of A-Z a-z 0-9 _ : . -";

/** Scheduler id of an entity, `@name@key`; names compare without case, keys with. */
export function toEntityId(name: string, key: string): string {
  return `@${name.toLowerCase()}@${key}`;
}

export function parseEntityId(id: string): { name: string; key: string } | undefined {
  const at = id.indexOf("@", 1);
  return id.startsWith("@") && at > 1 ? { name: id.slice(1, at), key: id.slice(at + 1) } : undefined;
}

/** A UUID that every replay of an execution computes again. */
export function deterministicGuid(executionId: string, sequenceId: number): string {
  const hex = createHash("sha1").update(`${executionId}_${sequenceId}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
