import { createJudge } from "../promotion/judge.ts";

/** Judges the run's model, or says which nodes have to score the champion first. */
export const createJudgeModel = createJudge;
