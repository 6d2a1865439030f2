// When a schedule fires. Field names are Azure ML's, in our spelling; times are instants, already read in the trigger's zone.
import { z } from "zod";

export const weekDayNames = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;
export const frequencies = ["minute", "hour", "day", "week", "month"] as const;

const bounds = {
  /** IANA name. */
  timeZone: z.string(),
  /** ISO 8601, UTC. Absent: when the schedule was made, and then it fires at once as well. */
  startTime: z.iso.datetime().optional(),
  /** ISO 8601, UTC; a slot at this very time still fires. */
  endTime: z.iso.datetime().optional(),
};

export const Pattern = z.object({
  hours: z.array(z.number().int().min(0).max(23)).min(1),
  minutes: z.array(z.number().int().min(0).max(59)).min(1),
  weekDays: z.array(z.enum(weekDayNames)).optional(),
  monthDays: z.array(z.number().int().min(1).max(31)).optional(),
});
export type Pattern = z.infer<typeof Pattern>;

export const Trigger = z.discriminatedUnion("type", [
  z.object({ type: z.literal("cron"), expression: z.string(), ...bounds }),
  z.object({
    type: z.literal("recurrence"),
    frequency: z.enum(frequencies),
    interval: z.number().int().positive(),
    pattern: Pattern.optional(),
    ...bounds,
  }),
]);
export type Trigger = z.infer<typeof Trigger>;
