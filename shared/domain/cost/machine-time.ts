// How long machines were used, by what they are: what a node tells of itself, and a run of all its nodes together. Prices are not
// among it, so that it can be told what something has cost by another table, too.
import { z } from "zod";
import { toUsd } from "./money.ts";
import { type Machine, priceOf, type Prices } from "./prices.ts";

/** Machine -> seconds, all machines of a job together. */
export const MachineTime = z.record(z.string(), z.number().nonnegative());
export type MachineTime = z.infer<typeof MachineTime>;

const spotMark = " (spot)";
const unknownMachine = "?";

/** What a job's machines are to a node's orchestration. */
export const NodeMachines = z.object({
  /** Machines at once. */
  instanceCount: z.number().int().positive(),
  isSpot: z.boolean().optional(),
  /** Name of a compute of one's own, where no size is named. */
  compute: z.string().optional(),
  /** The run has a cap on its costs. */
  isCapped: z.boolean().optional(),
});
export type NodeMachines = z.infer<typeof NodeMachines>;

export function addTime(time: MachineTime | undefined, more: MachineTime | undefined): MachineTime | undefined {
  if (time === undefined || more === undefined) return time ?? more;
  const sum = { ...time };
  for (const [machine, seconds] of Object.entries(more)) sum[machine] = round((sum[machine] ?? 0) + seconds);
  return sum;
}

export function timeOn({ name, isSpot }: Machine, seconds: number): MachineTime {
  return { [`${name ?? unknownMachine}${isSpot ? spotMark : ""}`]: round(seconds) };
}

/** What machine time costs. `isComplete` is false when a machine has no price: the sum is then the least it is. */
export function priceTime(prices: Prices, time: MachineTime = {}): { usd: number; isComplete: boolean } {
  let [micros, isComplete] = [0, true];
  for (const [key, seconds] of Object.entries(time)) {
    const isSpot = key.endsWith(spotMark);
    const name = isSpot ? key.slice(0, -spotMark.length) : key;
    const rate = priceOf(prices, { name: name === unknownMachine ? undefined : name, isSpot });
    if (rate === undefined) isComplete &&= seconds === 0;
    else micros += Math.round((rate * seconds) / 3600);
  }
  return { usd: toUsd(micros), isComplete };
}

/** Milliseconds are as exact as anything that is measured here. */
const round = (seconds: number) => Math.round(seconds * 1000) / 1000;
