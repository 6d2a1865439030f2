// Control flow names other steps of its pipeline: a loop repeats one, a condition decides on some.
import { parseBinding } from "../expressions.ts";
import type { Field, IssueList } from "../issue-list.ts";
import type { Governors, Step } from "../pipeline-scope.ts";

/** A step as another names it. */
export interface Governed {
  readonly name: string;
  readonly field: Field;
  /** `repeats`, or the outcome under which the step runs. */
  readonly how: "repeats" | boolean;
}

/** The step that `${{parent.jobs.<name>}}` names; undefined for anything else. */
export function stepNamedBy(value: unknown): string | undefined {
  const binding = parseBinding(value);
  return binding?.kind === "node" ? binding.node : undefined;
}

/** Step -> what control flow does with it, with everything told that cannot be. */
export function readGovernors(
  steps: ReadonlyMap<string, Step>,
  broken: ReadonlySet<string>,
  list: IssueList,
): Map<string, Governors> {
  const governors = new Map<string, Governors>();
  for (const step of steps.values()) {
    for (const governed of step.kind.governs?.(step) ?? []) {
      const problem = problemOf(step, governed, steps, governors.get(governed.name));
      if (problem === undefined) {
        governors.set(governed.name, withGovernor(governors.get(governed.name), step, governed));
      } else if (!broken.has(governed.name)) {
        list.error(governed.field, problem, { nearest: { name: governed.name, among: steps.keys() } });
      }
    }
  }
  return governors;
}

function problemOf(
  step: Step,
  { name, how }: Governed,
  steps: ReadonlyMap<string, Step>,
  known: Governors | undefined,
): string | undefined {
  const target = steps.get(name);
  if (target === undefined) return `there is no node \`${name}\``;
  if (target === step) return "a node cannot name itself here";
  if (known?.loop !== undefined) return `\`${name}\` is already the body of the loop \`${known.loop.name}\``;
  if (how === "repeats") {
    const [condition] = known?.when ?? [];
    if (condition !== undefined)
      return `\`${name}\` is in a block of \`${condition.step.name}\`; put the loop \`${step.name}\` there instead`;
    if (target.kind.governs !== undefined)
      return `\`${name}\` is control flow itself; put it into a pipeline component to repeat it`;
    return undefined;
  }
  return known?.when.some((one) => one.step === step && one.is !== how) === true
    ? `\`${name}\` cannot be in both blocks`
    : undefined;
}

function withGovernor({ loop, when = [] }: Partial<Governors> = {}, step: Step, { how }: Governed): Governors {
  if (how === "repeats") return { loop: step, when };
  return { ...(loop === undefined ? {} : { loop }), when: [...when, { step, is: how }] };
}

/** The loop that repeats `step` itself. */
export function loopOf(step: Step): Step | undefined {
  return step.scope.governed.get(step.name)?.loop;
}

/** The step that a loop repeats; undefined when it names none that can be. */
export function bodyOf(loop: Step): Step | undefined {
  for (const [name, governors] of loop.scope.governed) {
    if (governors.loop?.name === loop.name) return loop.scope.steps.get(name);
  }
  return undefined;
}
