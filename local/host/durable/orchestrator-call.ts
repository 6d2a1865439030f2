// The call of an orchestrator function: the whole history in, everything it has ever asked for out.
import { isDeepStrictEqual } from "node:util";

import type { TypedData, Worker } from "../contract.ts";
import { type OrchestratorState, parseOrchestratorState } from "./actions.ts";
import type { DurableFunction } from "./catalog.ts";
import { NonDeterministic, textOf } from "./failures.ts";
import { type DurableOptions, toTimeSpan } from "./options.ts";

export interface OrchestratorTrigger {
  readonly instanceId: string;
  readonly parentInstanceId: string | null;
  /** JSON texts of the events, joined by commas. */
  readonly history: string;
  /** JSON text. */
  readonly input: string | null;
  readonly isReplaying: boolean;
}

export type OrchestratorAnswer =
  | { readonly state: OrchestratorState; readonly thrown?: { readonly stack: string } }
  /** The function gave no state at all. */
  | { readonly error: { readonly message: string; readonly stack: string } };

const stateLabel = "$OutOfProcData$:";

/** Highest version of the protocol that this host speaks: 3 would offer entity locks. */
const upperSchemaVersion = 2;

/**
 * Makes the function that calls orchestrators.
 * @returns The state the library returned or attached to what the function threw.
 */
export function createOrchestratorCall(worker: Worker, options: DurableOptions) {
  const tail = JSON.stringify({
    upperSchemaVersion: 1,
    upperSchemaVersionNew: upperSchemaVersion,
    longRunningTimerIntervalDuration: toTimeSpan(options.longTimerIntervalMs),
    maximumShortTimerDuration: toTimeSpan(options.maximumShortTimerMs),
    defaultHttpAsyncRequestSleepTimeMillseconds: options.httpSleepMs,
  }).slice(1);

  async function callOnce({ name }: DurableFunction, text: string): Promise<OrchestratorAnswer> {
    let data: TypedData | undefined;
    try {
      // The cloud repeats the text in the trigger metadata; a second parse of every history is not worth the likeness.
      data = (await worker.invoke({ functionName: name, trigger: { string: text } })).returnValue;
    } catch (error) {
      return readFailure(error);
    }
    try {
      return { state: parseOrchestratorState(data?.json ?? data?.string ?? "") };
    } catch (error) {
      return { error: { message: `it returned no state of an orchestrator: ${textOf(error).message}`, stack: "" } };
    }
  }

  return async function callOrchestrator(
    orchestrator: DurableFunction,
    trigger: OrchestratorTrigger,
  ): Promise<OrchestratorAnswer> {
    const { instanceId, parentInstanceId, history, input, isReplaying } = trigger;
    const names = JSON.stringify({ instanceId, parentInstanceId, isReplaying }).slice(1, -1);
    const text = `{"history":[${history}],"input":${input ?? "null"},${names},${tail}`;
    const answer = await callOnce(orchestrator, text);
    if (options.switches.replayTwice !== true) return answer;
    // A clock read by the orchestrator must get the chance to move.
    await new Promise((resolve) => setTimeout(resolve, 2));
    const second = await callOnce(orchestrator, text);
    if (isDeepStrictEqual(comparable(answer), comparable(second))) return answer;
    const { message, stack } = new NonDeterministic("two replays of the same history gave different action lists");
    return { error: { message, stack: stack ?? "" } };
  };
}

function readFailure(error: unknown): OrchestratorAnswer {
  const { message, stack } = textOf(error);
  const at = message.indexOf(stateLabel);
  if (at < 0) return { error: { message, stack } };
  try {
    return { state: parseOrchestratorState(message.slice(at + stateLabel.length)), thrown: { stack } };
  } catch {
    const reason =
      "it threw, and the state that goes with the error cannot be read: its text holds what looks like a credential (`?sig=`, `&code=`, `Password=`, ...), which the host cuts out";
    return { error: { message: reason, stack } };
  }
}

function comparable(answer: OrchestratorAnswer): unknown {
  return "state" in answer ? answer.state : answer.error.message;
}
