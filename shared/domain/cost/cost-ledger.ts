// The money of one run with a cap: what its ended jobs have cost and what each live job may spend. An allowance is a lease: the
// sum of all that was spent and all that is lent never exceeds the cap, so whoever holds one needs to hear of nobody else to keep
// it, and a crash at any point leaves money lent that was never spent, and never the other way round. Pure: a ledger in, a ledger out.
import { z } from "zod";
import { costOf, formatUsd, toUsd } from "./money.ts";

/** Seconds of an allowance that are kept for the way from an order to cancel to the machine's end. */
export const reserveSeconds = 60;
/** Seconds that a lease is to last, beside the reserve: at the least, or a job is not worth starting; and at the most. */
export const shortestSeconds = 30;
export const longestSeconds = 600;

const Micros = z.number().int().nonnegative();

const LiveJob = z.object({
  node: z.string(),
  /** Millionths of a dollar an hour, all its machines together; what the price was when it began. */
  rate: Micros,
  /** What it may spend from its beginning to its end. */
  allowance: Micros,
  /** What it had spent when it asked last. */
  used: Micros,
  /** Number of its last request: one that comes late, or twice, changes nothing. */
  step: z.number().int(),
  /** Nobody knows whether it still runs: ISO 8601, from when its machine counts. */
  lostSince: z.string().optional(),
});
type LiveJob = z.infer<typeof LiveJob>;

export const CostLedger = z.object({
  cap: Micros,
  live: z.record(z.string(), LiveJob),
  /** Job -> what it has cost. */
  ended: z.record(z.string(), Micros),
});
export type CostLedger = z.infer<typeof CostLedger>;

export interface LoanRequest {
  readonly job: string;
  readonly node: string;
  readonly rate: number;
  readonly step: number;
  /** What it has spent so far. */
  readonly used: number;
}

export function openLedger(cap: number): CostLedger {
  return { cap, live: {}, ended: {} };
}

/** What ended jobs have cost, and live ones as far as they have told. */
export function spentOf({ live, ended }: CostLedger): number {
  return sum(Object.values(ended)) + sum(Object.values(live).map(({ used }) => used));
}

/** What live jobs may still spend. */
export function heldOf({ live }: CostLedger): number {
  return sum(Object.values(live).map(({ allowance, used }) => Math.max(0, allowance - used)));
}

/** What nobody has spent and nobody holds. */
export function freeOf(ledger: CostLedger): number {
  const lent = sum(Object.values(ledger.live).map(({ allowance, used }) => Math.max(allowance, used)));
  return Math.max(0, ledger.cap - sum(Object.values(ledger.ended)) - lent);
}

/**
 * Lends a job money to begin or to go on with. A lease lasts half as long as all live jobs together could go on with the money
 * that is left: it is long while there is plenty, and near the cap nobody holds much that another one needs.
 *
 * @returns the allowance of the job's whole life, 0 when there is not enough to begin
 */
export function lend(ledger: CostLedger, request: LoanRequest): { ledger: CostLedger; allowance: number } {
  const { job, node, step, used } = request;
  const known = ledger.live[job];
  if (ledger.ended[job] !== undefined || (known !== undefined && known.lostSince !== undefined))
    return { ledger, allowance: 0 };
  if (known !== undefined && known.step >= step) return { ledger, allowance: known.allowance };
  // What a job was promised when it began holds to its end.
  const rate = known?.rate ?? request.rate;
  const others = { ...ledger, live: without(ledger.live, job) };
  const free = freeOf(others);
  const left = Math.max(0, free - used);
  if (known === undefined && left < costOf(rate, shortestSeconds + reserveSeconds)) return { ledger, allowance: 0 };
  const rates = rate + sum(Object.values(others.live).map((each) => each.rate));
  const fair = (left / Math.max(1, rates) / 2) * 3600;
  const seconds = Math.min(longestSeconds, Math.max(shortestSeconds, fair)) + reserveSeconds;
  const allowance = Math.min(Math.max(free, known?.allowance ?? 0), used + costOf(rate, seconds));
  const entry: LiveJob = { node, rate, allowance, used, step };
  return { ledger: { ...ledger, live: { ...ledger.live, [job]: entry } }, allowance };
}

/** Takes down what a job that has ended has cost, and frees what is left of its allowance. */
export function settle(ledger: CostLedger, job: string, cost: number): CostLedger {
  if (ledger.live[job] === undefined || ledger.ended[job] !== undefined) return ledger;
  return { ...ledger, live: without(ledger.live, job), ended: { ...ledger.ended, [job]: cost } };
}

/** Keeps the allowance of a job of which nobody knows whether it still runs. @param since from when its machine counts */
export function loseJob(ledger: CostLedger, job: string, used: number, since: string): CostLedger {
  const known = ledger.live[job];
  if (known === undefined || known.lostSince !== undefined) return ledger;
  return { ...ledger, live: { ...ledger.live, [job]: { ...known, used, lostSince: since } } };
}

/** `the cap of $5.00 is reached: $4.20 spent, $0.75 held by train`. */
export function describeCap(ledger: CostLedger): string {
  const usd = (micros: number) => formatUsd(toUsd(micros));
  const held = heldOf(ledger);
  const nodes = [...new Set(Object.values(ledger.live).map(({ node }) => node))];
  const who = nodes.length > 3 ? `${nodes.slice(0, 2).join(", ")} and ${nodes.length - 2} others` : nodes.join(" and ");
  const rest = held === 0 ? "" : `, ${usd(held)} held by ${who}`;
  return `the cap of ${usd(ledger.cap)} is reached: ${usd(spentOf(ledger))} spent${rest}`;
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
