// The table of node kinds that run. A new kind is one file and one entry here.
import { command } from "./command.ts";
import { doWhile } from "./do-while.ts";
import { ifElse } from "./if-else.ts";
import { parallelFor } from "./parallel-for.ts";
import { promote } from "./promote.ts";
import { sweep } from "./sweep.ts";

export const nodeKinds = {
  command,
  sweep,
  if_else: ifElse,
  do_while: doWhile,
  parallel_for: parallelFor,
  promote,
} as const;
