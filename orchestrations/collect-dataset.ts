// One instance per version of a dataset that is not whole yet. Uploads wake it up in any order and number; what it goes by is what
// lies in the folder, so nothing is lost when wake-ups are: not those that continueAsNew drops, since every generation looks first.
import type { OrchestrationContext, Task } from "durable-functions";
import { advanceDataset } from "./activities.ts";
import { call } from "./contract.ts";
import { inbox } from "./signals.ts";

export interface CollectInput {
  readonly dataset: string;
  readonly version: string;
  /** Carried from one generation to the next: how often it looked in vain since the number of files last changed. */
  readonly polls?: number;
  readonly files?: number;
}

/** Custom status of a collector. */
export interface CollectProgress {
  readonly dataset: string;
  readonly version: string;
  readonly missing: readonly string[];
  readonly files: number;
}

/** Wake-ups that one generation takes before its history is dropped. */
const looksPerGeneration = 50;
/** After an activity has given up for good, which takes it about ten minutes. */
const troubleSeconds = 300;

/** Seconds to the next look that nobody asked for: soon while files come in, so that a lost event costs little. */
function backstopSeconds(polls: number): number {
  return Math.min(600, 10 * 2 ** Math.min(polls, 6));
}

export function* collectDataset(context: OrchestrationContext): Generator<Task, null, unknown> {
  const input = context.df.getInput<CollectInput>();
  const { dataset, version } = input;
  let { polls = 0, files: known = 0 } = input;
  for (let looks = 0; ; looks += 1) {
    if (looks >= looksPerGeneration) {
      context.df.continueAsNew({ dataset, version, polls, files: known });
      return null;
    }
    let seconds = troubleSeconds;
    try {
      const answer = yield* call(context, advanceDataset, { dataset, version });
      if (answer.kind === "done") return null;
      if (answer.kind === "arrived") continue;
      const { missing, files, until } = answer;
      if (files !== known) polls = 0;
      known = files;
      context.df.setCustomStatus({ dataset, version, missing, files } satisfies CollectProgress);
      const due = (Date.parse(until) - context.df.currentUtcDateTime.getTime()) / 1000;
      seconds = Math.max(1, Math.min(due, backstopSeconds(polls)));
    } catch {
      // The activity has logged it. What lies there must not be forgotten for that.
    }
    const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
    const wait = context.df.waitForExternalEvent(inbox);
    const winner = yield context.df.Task.any([wait, timer]);
    if (winner === timer) {
      context.df.continueAsNew({ dataset, version, polls: polls + 1, files: known });
      return null;
    }
    timer.cancel();
  }
}
