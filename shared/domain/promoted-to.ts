import { type Binding, parseBinding } from "./expressions.ts";
import { isMapping } from "./shape.ts";

/** The pipeline output that `value`, an entry of a node's `outputs:`, is promoted to. */
export function promotedTo(value: unknown): Binding | undefined {
  return parseBinding(isMapping(value) ? value.path : value, { allowShort: true });
}
