import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CostLedger,
  describeCap,
  freeOf,
  heldOf,
  lend,
  longestSeconds,
  loseJob,
  openLedger,
  reserveSeconds,
  settle,
  shortestSeconds,
  spentOf,
} from "#shared/domain/cost/cost-ledger.ts";
import { costOf } from "#shared/domain/cost/money.ts";

/** A dollar an hour. */
const rate = 1_000_000;
const usd = (dollars: number) => dollars * 1_000_000;
const ask = (job: string, more: object = {}) => ({ job, node: job, rate, step: 1, used: 0, ...more });

describe("a ledger", () => {
  test("lends for ten minutes and the way to the end while there is plenty, and less the less is left", () => {
    const plenty = lend(openLedger(usd(100)), ask("a"));
    expect(plenty.allowance).toBe(costOf(rate, longestSeconds + reserveSeconds));
    const scarce = lend(openLedger(usd(0.2)), ask("a"));
    // Twelve minutes are left, so it lasts six.
    expect(scarce.allowance).toBe(costOf(rate, 360 + reserveSeconds));
  });

  test("keeps money for the others: a big job cannot take it all", () => {
    const big = lend(openLedger(usd(1)), ask("big", { rate: 20 * rate }));
    expect(freeOf(big.ledger)).toBeGreaterThan(usd(0.1));
    expect(lend(big.ledger, ask("small")).allowance).toBeGreaterThan(0);
  });

  test("begins nothing that could not run for half a minute and be stopped in time", () => {
    const least = costOf(rate, shortestSeconds + reserveSeconds);
    expect(lend(openLedger(least - 1), ask("a"))).toEqual({ ledger: openLedger(least - 1), allowance: 0 });
    expect(lend(openLedger(least), ask("a")).allowance).toBe(least);
  });

  test("answers a request that comes twice as it did at first, and passes over one that comes late", () => {
    const first = lend(openLedger(usd(1)), ask("a"));
    expect(lend(first.ledger, ask("a"))).toEqual(first);
    const second = lend(first.ledger, ask("a", { step: 2, used: usd(0.1) }));
    expect(second.allowance).toBeGreaterThan(first.allowance);
    expect(lend(second.ledger, ask("a"))).toEqual(second);
  });

  test("never opens an account again that was closed, and closes it once", () => {
    const { ledger } = lend(openLedger(usd(1)), ask("a"));
    const closed = settle(ledger, "a", usd(0.01));
    expect(spentOf(closed)).toBe(usd(0.01));
    expect(settle(closed, "a", usd(0.5))).toBe(closed);
    expect(lend(closed, ask("a", { step: 7 }))).toEqual({ ledger: closed, allowance: 0 });
  });

  test("holds the money of a job that is lost until it is known to have ended", () => {
    const { ledger, allowance } = lend(openLedger(usd(1)), ask("a"));
    const lost = loseJob(ledger, "a", usd(0.05), "2026-01-05T10:00:00.000Z");
    expect([spentOf(lost), heldOf(lost), freeOf(lost)]).toEqual([usd(0.05), allowance - usd(0.05), usd(1) - allowance]);
    expect(lend(lost, ask("a", { step: 2 })).allowance).toBe(0);
    expect(freeOf(settle(lost, "a", usd(0.06)))).toBe(usd(0.94));
  });

  test("says what is spent and who holds how much", () => {
    const { ledger } = lend(openLedger(usd(5)), ask("a", { node: "train" }));
    expect(describeCap(settle(ledger, "a", usd(4.2)))).toBe("the cap of $5.00 is reached: $4.20 spent");
    expect(describeCap(ledger)).toBe("the cap of $5.00 is reached: $0.00 spent, $0.18 held by train");
  });
});

test("whatever is asked in whatever order, what is spent and lent together is never more than the cap", () => {
  const step = fc.record({
    job: fc.constantFrom("a", "b", "c", "d"),
    rate: fc.integer({ min: 1, max: 40_000_000 }),
    step: fc.integer({ min: 1, max: 6 }),
    /** Share of its allowance. */
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    act: fc.constantFrom("lend", "lend", "lend", "settle", "lose"),
  });
  const all = ({ live, ended }: CostLedger) =>
    [...Object.values(ended), ...Object.values(live).map(({ allowance }) => allowance)].reduce(
      (sum, each) => sum + each,
      0,
    );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000_000 }), fc.array(step, { maxLength: 40 }), (cap, steps) => {
      let ledger = openLedger(cap);
      for (const { job, act, share, ...more } of steps) {
        const used = Math.floor((ledger.live[job]?.allowance ?? 0) * share);
        const request = { job, node: job, ...more, used };
        const lent = act === "lend" ? lend(ledger, request) : { ledger, allowance: 0 };
        ledger = lent.ledger;
        // Twice is once.
        expect(act === "lend" ? lend(ledger, request).allowance : 0).toBe(lent.allowance);
        if (act === "settle") ledger = settle(ledger, job, used);
        if (act === "lose") ledger = loseJob(ledger, job, used, "2026-01-05T10:00:00.000Z");
        expect(all(ledger)).toBeLessThanOrEqual(cap);
      }
    }),
  );
});
