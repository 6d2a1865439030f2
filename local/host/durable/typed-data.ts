// How values cross the border between durable task and the worker. Each conversion loses what the real border loses.
import type { TypedData } from "../contract.ts";

/**
 * The data of an activity trigger.
 * @param input The action's input: strings already JSON-encoded by the library, anything else as it is.
 * @returns A string in every case but null; booleans in .NET's spelling.
 */
export function toActivityData(input: unknown): TypedData {
  if (input === undefined || input === null) return {};
  if (typeof input === "string") return { string: input };
  if (typeof input === "boolean") return { string: input ? "True" : "False" };
  return { string: JSON.stringify(input) };
}

/** The JSON text that a function's return value becomes in a history. */
export function toResultText(data: TypedData | null | undefined): string {
  if (data === null || data === undefined) return "null";
  if (data.string !== undefined) return JSON.stringify(data.string);
  if (data.json !== undefined) return data.json;
  if (data.bytes !== undefined) return JSON.stringify(Buffer.from(data.bytes).toString("base64"));
  if (data.int !== undefined) return saturate(data.int);
  if (data.double !== undefined)
    return Number.isFinite(data.double) ? JSON.stringify(data.double) : JSON.stringify(String(data.double));
  return "null";
}

/** `int` is a signed 64-bit integer on the wire. */
function saturate(value: number): string {
  const integer = BigInt(value);
  const max = 2n ** 63n - 1n;
  return String(integer > max ? max : integer < -max - 1n ? -max - 1n : integer);
}
