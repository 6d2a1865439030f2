// What comes after a failed attempt: nothing, or another one, when, and on which machine. Pure, so that an orchestration may ask.
import type { FailureClass } from "./failure-class.ts";
import { biggerSizes } from "./instance-types.ts";
import { type NodePolicy, retryRule } from "./node-policy.ts";

/** How far a node has come through its sizes and its attempts. */
export interface Course {
  /** Sizes of this round, those still to try; null lets the service choose. Never empty. */
  readonly sizes: readonly (string | null)[];
  /** What the next round begins with again. */
  readonly round: readonly (string | null)[];
  /** How many attempts ended in each class. */
  readonly failures: Partial<Record<FailureClass, number>>;
  /** Spot machines were taken away too often. */
  readonly isDedicated?: true;
}

export interface Setback {
  readonly class?: FailureClass | undefined;
  readonly isLasting?: boolean | undefined;
  readonly memory?: "gpu" | "machine" | undefined;
}

export type NextStep =
  | { readonly kind: "give-up" }
  | { readonly kind: "retry"; readonly course: Course; readonly delaySeconds: number };

/** Attempts of one node, whatever their classes: a job's name and the node's document must stay bounded. */
const mostAttempts = 50;
const giveUp: NextStep = { kind: "give-up" };

export function initialCourse(instanceTypes: readonly string[]): Course {
  const sizes = instanceTypes.length === 0 ? [null] : instanceTypes;
  return { sizes, round: sizes, failures: {} };
}

/**
 * @param attempt the number of the attempt that failed
 * @param spread a number in [0, 1) of this node's own, so that many nodes do not come back at one moment
 */
export function nextStep(
  course: Course,
  failure: Setback,
  policy: NodePolicy | undefined,
  attempt: number,
  spread: number,
): NextStep {
  const { class: name, isLasting } = failure;
  if (name === undefined || attempt >= mostAttempts) return giveUp;
  if (name === "no-capacity") return nextSize(course, failure, policy, spread);
  const rule = retryRule(policy, name);
  const count = (course.failures[name] ?? 0) + 1;
  // Whoever names a number of attempts means it.
  const isHopeless = isLasting === true && policy?.retry?.[name]?.maxAttempts === undefined;
  if (count >= rule.maxAttempts || isHopeless) return giveUp;
  const failures = { ...course.failures, [name]: count };
  const delaySeconds = delayOf(rule, count, spread);
  if (name === "out-of-memory" && rule.biggerSize === true) {
    const bigger = biggerSizes(course.sizes[0] ?? undefined, failure.memory ?? "machine");
    if (bigger.length === 0) return giveUp;
    return { kind: "retry", course: { ...course, sizes: bigger, round: bigger, failures }, delaySeconds };
  }
  const isDedicated = course.isDedicated ?? (name === "preempted" && count >= (rule.spotAttempts ?? Infinity));
  return { kind: "retry", course: { ...course, failures, ...(isDedicated ? { isDedicated } : {}) }, delaySeconds };
}

/** The next size at once; after the last, another round for those that may come back. */
function nextSize(course: Course, { isLasting }: Setback, policy: NodePolicy | undefined, spread: number): NextStep {
  const [current, ...rest] = course.sizes;
  const round = isLasting === true ? course.round.filter((size) => size !== current) : course.round;
  if (rest.length > 0) return { kind: "retry", course: { ...course, sizes: rest, round }, delaySeconds: 0 };
  const rule = retryRule(policy, "no-capacity");
  const count = (course.failures["no-capacity"] ?? 0) + 1;
  if (round.length === 0 || count >= rule.maxAttempts) return giveUp;
  const failures = { ...course.failures, "no-capacity": count };
  return {
    kind: "retry",
    course: { ...course, sizes: round, round, failures },
    delaySeconds: delayOf(rule, count, spread),
  };
}

function delayOf(rule: { delaySeconds: number; maxDelaySeconds: number }, count: number, spread: number): number {
  const delay = Math.min(rule.maxDelaySeconds, rule.delaySeconds * 2 ** (count - 1));
  return Math.round(delay * (1 + spread / 4));
}

/** A number in [0, 1) that is always the same for a text (FNV-1a). */
export function spreadOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
