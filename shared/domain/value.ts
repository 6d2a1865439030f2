import type { DataType, InputMode, LiteralType } from "./data-types.ts";
import type { Literal } from "./literals.ts";

/** What an input is, after every binding has been followed. */
export type Value =
  | { readonly kind: "literal"; readonly literal: Literal }
  /** `type` only where the author gave one. */
  | { readonly kind: "data"; readonly uri: string; readonly type?: DataType; readonly mode?: InputMode }
  /** `node` is the flat name. */
  | {
      readonly kind: "output";
      readonly node: string;
      readonly output: string;
      readonly type: DataType;
      readonly mode?: InputMode;
      /** A primitive output: its file holds a literal of this type. */
      readonly literal?: LiteralType;
      /** There may be none when the node starts, and then the input has no value. */
      readonly mayBeAbsent?: true;
    }
  /** Will be given when the run starts. */
  | { readonly kind: "later" }
  /** Wrong, which has been told. */
  | { readonly kind: "invalid" };

/** Stands for a value that has been told of. */
export const invalid: Value = { kind: "invalid" };
