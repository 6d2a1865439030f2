// The table of node kinds that run. A new kind is one file and one entry here.
import { command } from "./command.ts";
import { sweep } from "./sweep.ts";

export const nodeKinds = { command, sweep } as const;
