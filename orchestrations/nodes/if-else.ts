// A node that decides which of its blocks runs. It has no job.
import { command } from "./command.ts";

export const ifElse = { ...command, orchestration: "runIfElse" };
