// A node that runs its trial many times and hands on the best.
import { command } from "./command.ts";

export const sweep = { ...command, orchestration: "runSweep" };
