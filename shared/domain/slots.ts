// Who may be on their way at once, and who is next: first come, first served. Pure: a ledger in, a ledger out.
import { z } from "zod";

const Claim = z.object({
  /** Instance id of the run or node. */
  holder: z.string(),
  /** What it needs a slot of -> how many slots there are. The names are words for people. */
  needs: z.record(z.string(), z.number().int().positive()),
  isGranted: z.boolean(),
  /** ISO 8601. */
  since: z.string(),
});

/** In the order of arrival. */
export const Ledger = z.object({ claims: z.array(Claim) });
export type Ledger = z.infer<typeof Ledger>;
export type Needs = z.infer<typeof Claim>["needs"];

export const emptyLedger: Ledger = { claims: [] };

/** Enters a claim, or changes what a known one needs; it keeps its place. */
export function enterClaim(ledger: Ledger, holder: string, needs: Needs, now: string): Ledger {
  const known = ledger.claims.find((claim) => claim.holder === holder);
  if (known === undefined) return { claims: [...ledger.claims, { holder, needs, isGranted: false, since: now }] };
  if (isSame(known.needs, needs)) return ledger;
  const changed = { ...known, needs, isGranted: false };
  return { claims: ledger.claims.map((claim) => (claim === known ? changed : claim)) };
}

/** Without the claims of these holders, granted or not. */
export function dropClaims(ledger: Ledger, holders: ReadonlySet<string>): Ledger {
  const claims = ledger.claims.filter(({ holder }) => !holders.has(holder));
  return claims.length === ledger.claims.length ? ledger : { claims };
}

/**
 * Grants every claim for which there is room, in the order of arrival: a claim passes one before it only where that one waits for
 * something else.
 */
export function grantClaims(ledger: Ledger): { ledger: Ledger; granted: string[] } {
  const taken = countTaken(ledger);
  const granted: string[] = [];
  const claims = ledger.claims.map((claim) => {
    if (claim.isGranted || fullNeed(claim.needs, taken) !== undefined) return claim;
    for (const need of Object.keys(claim.needs)) taken.set(need, (taken.get(need) ?? 0) + 1);
    granted.push(claim.holder);
    return { ...claim, isGranted: true };
  });
  return granted.length === 0 ? { ledger, granted } : { ledger: { claims }, granted };
}

export function isGranted({ claims }: Ledger, holder: string): boolean {
  return claims.some((claim) => claim.holder === holder && claim.isGranted);
}

/** What a waiting claim waits for, in words; undefined when it does not wait. */
export function waitsFor(ledger: Ledger, holder: string): string | undefined {
  const place = ledger.claims.findIndex((claim) => claim.holder === holder && !claim.isGranted);
  const claim = ledger.claims[place];
  if (claim === undefined) return undefined;
  const taken = countTaken(ledger);
  const need = fullNeed(claim.needs, taken) ?? Object.keys(claim.needs)[0] ?? "";
  const before = ledger.claims.slice(0, place).filter(({ isGranted: has, needs }) => !has && need in needs).length;
  const queue = before === 0 ? "it is next" : `${before} before it`;
  return `a free slot: ${taken.get(need) ?? 0} of ${claim.needs[need] ?? 0} ${need} are on their way; ${queue}`;
}

function countTaken({ claims }: Ledger): Map<string, number> {
  const taken = new Map<string, number>();
  for (const { isGranted: has, needs } of claims) {
    if (has) for (const need of Object.keys(needs)) taken.set(need, (taken.get(need) ?? 0) + 1);
  }
  return taken;
}

function fullNeed(needs: Needs, taken: ReadonlyMap<string, number>): string | undefined {
  return Object.entries(needs).find(([need, max]) => (taken.get(need) ?? 0) >= max)?.[0];
}

function isSame(one: Needs, other: Needs): boolean {
  const [a, b] = [Object.entries(one), Object.entries(other)];
  return a.length === b.length && a.every(([need, max]) => other[need] === max);
}
