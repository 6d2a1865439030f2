// A node that repeats its body as long as the body says so.
import { command } from "./command.ts";

export const doWhile = { ...command, orchestration: "runDoWhile" };
