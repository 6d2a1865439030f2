// Where the number of runs is limited, a run waits its turn before it starts anything.
import type { OrchestrationContext, Task } from "durable-functions";
import type { RunState } from "#shared/domain/run-state.ts";
import { takeSlot } from "./activities.ts";
import { call } from "./contract.ts";
import type { RunSignal } from "./signals.ts";
import { waitForSignal } from "./wait-for-signal.ts";

/** Seconds between questions when nobody says that a slot is free. */
const pollSeconds = 300;

/** @returns `go-on` with a slot, or without one when the run is cancelled meanwhile; `due` when the generation has to end */
export function* awaitRunSlot(
  context: OrchestrationContext,
  runId: string,
  state: RunState,
  publish: () => void,
  deadline: Date | undefined,
): Generator<Task, "go-on" | "due", unknown> {
  while (state.hasSlot !== true && state.cancelReason === undefined && state.isTimeout !== true) {
    const answer = yield* call(context, takeSlot, { runId });
    if (answer.isGranted) {
      state.hasSlot = true;
      delete state.waitsFor;
      break;
    }
    state.waitsFor = answer.waitsFor ?? "a free slot";
    publish();
    const next = context.df.currentUtcDateTime.getTime() + 1000 * pollSeconds;
    const due = new Date(Math.min(next, deadline?.getTime() ?? Infinity));
    const signal = yield* waitForSignal<RunSignal>(context, due);
    if (signal === undefined) return "due";
    if (signal.kind === "cancel") state.cancelReason = signal.reason;
  }
  delete state.waitsFor;
  return "go-on";
}
