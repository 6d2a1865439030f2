// The one way our orchestrations wait for a signal and for the clock at once.
import type { OrchestrationContext, Task } from "durable-functions";
import { inbox } from "./signals.ts";

/**
 * Waits for the next signal, until `due` at the latest.
 *
 * @returns the signal; undefined when the clock won, and then the caller has to end the generation with `continueAsNew` at once:
 * the wait that lost stays behind and would swallow the next signal (docs/decisions/0002-one-inbox-per-instance.md)
 */
export function* waitForSignal<Signal>(
  context: OrchestrationContext,
  due: Date,
): Generator<Task, Signal | undefined, unknown> {
  const timer = context.df.createTimer(due);
  const wait = context.df.waitForExternalEvent(inbox);
  const winner = yield context.df.Task.any([wait, timer]);
  if (winner === timer) return undefined;
  timer.cancel();
  // Whoever raises events on our inbox has parsed them with the schemas of signals.ts.
  return wait.result as Signal;
}

/**
 * When a generation that has grown long enough stops waiting: a signal that is there already is taken all the same, since those
 * that nobody waits for are lost when the history is dropped.
 */
export function atOnce(context: OrchestrationContext): Date {
  return context.df.currentUtcDateTime;
}

export function inSeconds(context: OrchestrationContext, seconds: number): Date {
  return new Date(context.df.currentUtcDateTime.getTime() + 1000 * seconds);
}
