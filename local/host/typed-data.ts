// Between host and worker lies a serialisation boundary (gRPC): nothing crosses it by reference.
import type { TypedData } from "./contract.ts";

const int64Limit = 2 ** 63;

/** A copy of `data` as it would look after the wire: 64-bit integers, well-formed text, bytes of its own. */
export function copyTypedData(data: TypedData): TypedData {
  if (data.string !== undefined) return { string: data.string.toWellFormed() };
  if (data.json !== undefined) return { json: data.json.toWellFormed() };
  if (data.bytes !== undefined) return { bytes: Buffer.from(data.bytes) };
  if (data.stream !== undefined) return { stream: Buffer.from(data.stream) };
  if (data.int !== undefined) return { int: Math.min(Math.max(data.int, -int64Limit), int64Limit) + 0 };
  if (data.double !== undefined) return { double: data.double };
  // Made anew for every request and every response, and held by nobody else.
  if (data.http !== undefined) return { http: data.http };
  return {};
}

/** `value` as JSON text in typed data; undefined and null are null. */
export function toJsonData(value: unknown): TypedData {
  const json = JSON.stringify(value);
  return json === undefined || json === "null" ? {} : { json };
}
