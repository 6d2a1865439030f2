// What a test, or a curious user, may do to the events: the real service promises «at least once, in no order», and
// whoever reads them has to live with all of it.
import { z } from "zod";

/** Share of the events it befalls, 0 to 1. */
const Rate = z.number().min(0).max(1).default(0);
const Count = z.number().int().nonnegative().default(0);

export const EventFaults = z.strictObject({
  lose: Rate,
  double: Rate,
  delay: Rate,
  /** Held back until the next event of the subscription has gone out, `delayMs` at the longest. */
  reorder: Rate,
  delayMs: z.number().int().positive().default(1000),
  /** Befalls that many of the next events before the rates are asked. */
  next: z
    .strictObject({ lose: Count, double: Count, delay: Count, reorder: Count })
    .default({ lose: 0, double: 0, delay: 0, reorder: 0 }),
  /** Only events whose subject holds this text; all when absent. */
  subjectContains: z.string().optional(),
});
export type EventFaults = z.infer<typeof EventFaults>;

const kinds = ["lose", "double", "delay", "reorder"] as const;
type EventFault = (typeof kinds)[number];

export interface FaultSource {
  readonly get: () => EventFaults;
  readonly set: (faults: EventFaults) => void;
  /** The fault the next event of `subject` meets, if any; counts down `next`. */
  readonly decide: (subject: string) => EventFault | undefined;
}

/** Takes the faults to begin with and a source of numbers in [0, 1). */
export function createFaultSource(initial: EventFaults, random: () => number = Math.random): FaultSource {
  let faults = structuredClone(initial);
  return {
    get: () => structuredClone(faults),
    set(replacement) {
      faults = structuredClone(replacement);
    },
    decide(subject) {
      if (faults.subjectContains !== undefined && !subject.includes(faults.subjectContains)) return undefined;
      const counted = kinds.find((kind) => faults.next[kind] > 0);
      if (counted !== undefined) {
        faults.next[counted] -= 1;
        return counted;
      }
      return kinds.find((kind) => faults[kind] > 0 && random() < faults[kind]);
    },
  };
}
