// The node that decides whether the run's model becomes a registered one. It has no job.
import { command } from "./command.ts";

export const promote = { ...command, orchestration: "runPromote" };
