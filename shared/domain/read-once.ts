import type { IssueList } from "./issue-list.ts";
import type { Reader } from "./shape.ts";

/** `read`, called once for each holder in a compilation, which has one list: a thousand nodes share few components. */
export function readOnce<Value>(read: Reader<Value>): Reader<Value> {
  const known = new WeakMap<IssueList, WeakMap<object, { readonly value: Value | undefined }>>();
  return (holder, field, list) => {
    if (typeof holder !== "object" || holder === null) return read(holder, field, list);
    const values = known.get(list) ?? new WeakMap<object, { readonly value: Value | undefined }>();
    known.set(list, values);
    const found = values.get(holder) ?? { value: read(holder, field, list) };
    values.set(holder, found);
    return found.value;
  };
}
