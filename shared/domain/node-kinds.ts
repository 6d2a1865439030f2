// Every kind of node that a pipeline may hold.
import { automl } from "./nodes/automl.ts";
import { command } from "./nodes/command.ts";
import { dataTransfer } from "./nodes/data-transfer.ts";
import { doWhile } from "./nodes/do-while.ts";
import { ifElse } from "./nodes/if-else.ts";
import { importKind } from "./nodes/import.ts";
import type { NodeKind } from "./nodes/node-kind.ts";
import { parallelFor } from "./nodes/parallel-for.ts";
import { parallel } from "./nodes/parallel.ts";
import { pipeline } from "./nodes/pipeline.ts";
import { spark } from "./nodes/spark.ts";
import { sweep } from "./nodes/sweep.ts";

const all: readonly NodeKind[] = [
  command,
  pipeline,
  sweep,
  parallel,
  spark,
  automl,
  importKind,
  dataTransfer,
  ifElse,
  parallelFor,
  doWhile,
];

/** `type:` of a node -> its kind. */
export const nodeKinds: ReadonlyMap<string, NodeKind> = new Map(all.map((kind) => [kind.type, kind]));
