// A node that runs its body once per item.
import { command } from "./command.ts";

export const parallelFor = { ...command, orchestration: "runParallelFor" };
