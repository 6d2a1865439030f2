// A small real stand-in for the durable engine: plays an orchestrator's generator against scripted activities and signals, one
// generation after the other, with the clock in the test's hands.
import type { OrchestrationContext, Task } from "durable-functions";

type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;

interface FakeTask {
  readonly kind: "activity" | "event" | "timer" | "any";
  readonly name?: string;
  readonly input?: unknown;
  readonly fireAt?: Date;
  readonly children?: readonly FakeTask[];
  result?: unknown;
  isCanceled?: boolean;
  cancel?: () => void;
}

export interface Call {
  readonly name: string;
  readonly input: unknown;
}

export interface Stage {
  /** Every activity called, in order. */
  readonly calls: Call[];
  /** Every custom status set, in order. */
  readonly statuses: unknown[];
  /** How often the history was dropped. */
  generations: number;
  /** Seconds that passed on the timers that won. */
  elapsedSeconds: number;
}

export interface Script {
  readonly input: unknown;
  /** What an activity answers; throws to fail it for good. */
  activity(call: Call): unknown;
  /** The next event that arrives while the orchestrator waits; undefined lets the timer win. */
  event(waitNumber: number, stage: Stage): unknown;
  /** The next event that is there already when a timer is due as soon as it is set; none when absent. */
  buffered?(stage: Stage): unknown;
}

const mostGenerations = 1000;
const startTime = Date.parse("2026-01-05T10:00:00.000Z");

/** Plays to the end. @throws Error when the orchestrator waits for an event that the script does not have */
export function play(orchestrator: Orchestrator, script: Script): { output: unknown; stage: Stage } {
  const stage: Stage = { calls: [], statuses: [], generations: 0, elapsedSeconds: 0 };
  let input: unknown = structuredClone(script.input);
  let now = startTime;
  let waits = 0;
  for (;;) {
    stage.generations += 1;
    if (stage.generations > mostGenerations) throw new Error("it goes on for ever");
    let next: { input: unknown } | undefined;
    const context = {
      df: {
        getInput: () => input,
        get currentUtcDateTime() {
          return new Date(now);
        },
        setCustomStatus: (status: unknown) => stage.statuses.push(JSON.parse(JSON.stringify(status))),
        callActivityWithRetry: (name: string, _retry: unknown, value: unknown): FakeTask => ({
          kind: "activity",
          name,
          input: value,
        }),
        waitForExternalEvent: (name: string): FakeTask => ({ kind: "event", name }),
        createTimer: (fireAt: Date): FakeTask => {
          const timer: FakeTask = { kind: "timer", fireAt };
          timer.cancel = () => {
            timer.isCanceled = true;
          };
          return timer;
        },
        Task: { any: (children: FakeTask[]): FakeTask => ({ kind: "any", children }) },
        continueAsNew: (value: unknown) => {
          next = { input: JSON.parse(JSON.stringify(value)) };
        },
      },
    };
    // The generator only reads the members above.
    const generator = orchestrator(context as unknown as OrchestrationContext);
    let step = generator.next();
    while (step.done !== true) {
      const task = step.value as unknown as FakeTask;
      if (task.kind === "activity") {
        const call = { name: task.name ?? "", input: JSON.parse(JSON.stringify(task.input)) as unknown };
        stage.calls.push(call);
        let answer: unknown;
        try {
          answer = JSON.parse(JSON.stringify(script.activity(call) ?? null));
        } catch (error) {
          step = generator.throw(error);
          continue;
        }
        step = generator.next(answer);
        continue;
      }
      if (task.kind === "timer" && task.fireAt !== undefined) {
        stage.elapsedSeconds += (task.fireAt.getTime() - now) / 1000;
        now = task.fireAt.getTime();
        step = generator.next();
        continue;
      }
      const event = task.kind === "any" ? task.children?.find(({ kind }) => kind === "event") : task;
      const timer = task.children?.find(({ kind }) => kind === "timer");
      const isDue = timer?.fireAt !== undefined && timer.fireAt.getTime() <= now;
      if (!isDue) waits += 1;
      const signal = isDue ? script.buffered?.(stage) : script.event(waits, stage);
      if (signal !== undefined && event !== undefined) {
        event.result = JSON.parse(JSON.stringify(signal));
        step = generator.next(task.kind === "any" ? event : event.result);
      } else {
        if (timer?.fireAt === undefined)
          throw new Error(`it waits for event ${event?.name ?? "?"}, and the script has no more`);
        stage.elapsedSeconds += (timer.fireAt.getTime() - now) / 1000;
        now = timer.fireAt.getTime();
        step = generator.next(timer);
      }
    }
    if (next === undefined) return { output: step.value, stage };
    input = next.input;
  }
}
