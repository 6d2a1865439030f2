// Plays many orchestrations together against one simulated clock: activities take their time, are sometimes done twice, and the
// answer that counts is then that of either; timers may be late; signals wait in an inbox. Nothing sleeps for real.
import { setImmediate as turn } from "node:timers/promises";
import type { OrchestrationContext, Task } from "durable-functions";

type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;

type Clock = ReturnType<typeof createClock>;

export function createClock(start: number) {
  const due: { time: number; order: number; act: () => void }[] = [];
  let [now, order] = [start, 0];

  /** A heap: the earliest is first. */
  function at(time: number, act: () => void): void {
    due.push({ time: Math.max(now, time), order: (order += 1), act });
    for (let child = due.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!isBefore(child, parent)) break;
      swap(child, parent);
      child = parent;
    }
  }

  function isBefore(a: number, b: number): boolean {
    const [one, other] = [due[a], due[b]];
    if (one === undefined || other === undefined) return false;
    return one.time < other.time || (one.time === other.time && one.order < other.order);
  }

  function swap(a: number, b: number): void {
    const [one, other] = [due[a], due[b]];
    if (one === undefined || other === undefined) return;
    [due[a], due[b]] = [other, one];
  }

  function takeFirst() {
    const first = due[0];
    const last = due.pop();
    if (first === undefined || last === undefined || due.length === 0) return first;
    due[0] = last;
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = isBefore(right, left) ? right : left;
      if (!isBefore(child, parent)) return first;
      swap(child, parent);
      parent = child;
    }
  }

  return {
    now: () => now,
    at,
    sleep: (ms: number) => new Promise<void>((resolve) => at(now + ms, resolve)),
    /** Lets time pass until nothing more is due. */
    async run(): Promise<void> {
      for (let next = takeFirst(); next !== undefined; next = takeFirst()) {
        now = next.time;
        next.act();
        // What the act has set going goes as far as it can before time passes.
        await turn();
      }
    },
  };
}

interface FakeTask {
  readonly kind: "activity" | "event" | "timer" | "any";
  readonly name?: string;
  readonly input?: unknown;
  readonly fireAt?: Date;
  readonly children?: readonly FakeTask[];
  result?: unknown;
}

interface Instance {
  readonly id: string;
  readonly orchestrator: Orchestrator;
  readonly inbox: unknown[];
  output?: unknown;
  hasEnded: boolean;
  /** What it does when a signal arrives. */
  wake?: (() => void) | undefined;
}

interface HostRules {
  /** Does an activity. */
  readonly act: (name: string, input: unknown, instanceId: string) => Promise<unknown>;
  /** Milliseconds that pass before, and after, an activity is done. */
  readonly delay: () => number;
  /** Whether an activity is done once more, some time after; and whether that one's answer counts. */
  readonly doubled: () => { isDoubled: boolean; countsLater: boolean; afterMs: number };
  /** Milliseconds by which a timer is late. */
  readonly late: () => number;
}

const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

export function createHost(clock: Clock, { act, delay, doubled, late }: HostRules) {
  const instances = new Map<string, Instance>();

  function start(id: string, orchestrator: Orchestrator, input: unknown): void {
    if (instances.has(id)) return;
    const instance: Instance = { id, orchestrator, inbox: [], hasEnded: false };
    instances.set(id, instance);
    clock.at(clock.now() + delay(), () => begin(instance, copy(input)));
  }

  function begin(instance: Instance, input: unknown): void {
    let next: { input: unknown } | undefined;
    const df = {
      getInput: () => input,
      get currentUtcDateTime() {
        return new Date(clock.now());
      },
      setCustomStatus: () => undefined,
      callActivityWithRetry: (name: string, _retry: unknown, value: unknown): FakeTask => ({
        kind: "activity",
        name,
        input: value,
      }),
      waitForExternalEvent: (name: string): FakeTask => ({ kind: "event", name }),
      createTimer: (fireAt: Date) => ({ kind: "timer", fireAt, cancel: () => undefined }),
      Task: { any: (children: FakeTask[]): FakeTask => ({ kind: "any", children }) },
      continueAsNew: (value: unknown) => {
        next = { input: copy(value) };
      },
    };
    // The generator only reads the members above.
    const generator = instance.orchestrator({ df } as unknown as OrchestrationContext);
    follow(() => generator.next());

    function follow(advance: () => IteratorResult<Task, unknown>): void {
      const step = advance();
      if (step.done === true) {
        if (next !== undefined) return begin(instance, next.input);
        instance.output = step.value;
        instance.hasEnded = true;
        return;
      }
      // Tasks are what the context above has made.
      const task = step.value as unknown as FakeTask;
      if (task.kind === "activity") return callActivity(instance, task, follow, generator);
      wait(instance, task, follow, generator);
    }
  }

  function callActivity(
    { id }: Instance,
    { name = "", input }: FakeTask,
    follow: (advance: () => IteratorResult<Task, unknown>) => void,
    generator: Generator<Task, unknown, unknown>,
  ): void {
    const { isDoubled, countsLater, afterMs } = doubled();
    let isAnswered = false;
    const doIt = (counts: boolean) => {
      act(name, copy(input), id).then(
        (answer) => {
          if (!counts || isAnswered) return;
          isAnswered = true;
          clock.at(clock.now() + delay(), () => follow(() => generator.next(copy(answer) as never)));
        },
        (error: unknown) => {
          if (!counts || isAnswered) return;
          isAnswered = true;
          clock.at(clock.now(), () => follow(() => generator.throw(error)));
        },
      );
    };
    const first = clock.now() + delay();
    clock.at(first, () => doIt(!(isDoubled && countsLater)));
    if (isDoubled) clock.at(first + afterMs, () => doIt(countsLater));
  }

  function wait(
    instance: Instance,
    task: FakeTask,
    follow: (advance: () => IteratorResult<Task, unknown>) => void,
    generator: Generator<Task, unknown, unknown>,
  ): void {
    const event = task.kind === "event" ? task : task.children?.find(({ kind }) => kind === "event");
    const timer = task.kind === "timer" ? task : task.children?.find(({ kind }) => kind === "timer");
    let isOver = false;
    const take = () => {
      if (isOver || event === undefined || instance.inbox.length === 0) return;
      isOver = true;
      instance.wake = undefined;
      event.result = instance.inbox.shift();
      follow(() => generator.next((task.kind === "any" ? event : event.result) as never));
    };
    instance.wake = take;
    if (timer?.fireAt !== undefined) {
      clock.at(timer.fireAt.getTime() + late(), () => {
        if (isOver) return;
        isOver = true;
        instance.wake = undefined;
        follow(() => generator.next((task.kind === "any" ? timer : undefined) as never));
      });
    }
    take();
  }

  return {
    start,

    signal(id: string, signal: unknown): void {
      const instance = instances.get(id);
      if (instance === undefined || instance.hasEnded) return;
      instance.inbox.push(copy(signal));
      const { wake } = instance;
      if (wake !== undefined) clock.at(clock.now(), wake);
    },

    isLive: (id: string) => instances.get(id)?.hasEnded === false,
    has: (id: string) => instances.has(id),
    output: (id: string) => instances.get(id)?.output,
  };
}
