import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Plan } from "#shared/domain/plan.ts";
import { hasJobLimits, jobNeeds, runNeeds } from "#shared/domain/slot-needs.ts";
import {
  dropClaims,
  emptyLedger,
  enterClaim,
  grantClaims,
  isGranted,
  type Ledger,
  type Needs,
  waitsFor,
} from "#shared/domain/slots.ts";

const now = "2026-01-05T10:00:00.000Z";
const claim = (ledger: Ledger, holder: string, needs: Needs) =>
  grantClaims(enterClaim(ledger, holder, needs, now)).ledger;
const drop = (ledger: Ledger, holder: string) => grantClaims(dropClaims(ledger, new Set([holder])));

describe("slots", () => {
  test("are given first come, first served", () => {
    let ledger = emptyLedger;
    for (const holder of ["a", "b", "c"]) ledger = claim(ledger, holder, { jobs: 1 });
    expect(["a", "b", "c"].map((holder) => isGranted(ledger, holder))).toEqual([true, false, false]);
    expect(waitsFor(ledger, "b")).toBe("a free slot: 1 of 1 jobs are on their way; it is next");
    expect(waitsFor(ledger, "c")).toBe("a free slot: 1 of 1 jobs are on their way; 1 before it");
    expect(waitsFor(ledger, "a")).toBeUndefined();
    const after = drop(ledger, "a");
    expect(after.granted).toEqual(["b"]);
    expect(drop(after.ledger, "b").granted).toEqual(["c"]);
  });

  test("asked for again are the same slots", () => {
    const ledger = claim(claim(emptyLedger, "a", { jobs: 1 }), "b", { jobs: 1 });
    expect(claim(ledger, "a", { jobs: 1 })).toBe(ledger);
    expect(claim(ledger, "b", { jobs: 1 })).toBe(ledger);
  });

  test("of one size do not hold up those who wait for another", () => {
    let ledger = claim(emptyLedger, "a", { jobs: 3, "jobs on A": 1 });
    ledger = claim(ledger, "b", { jobs: 3, "jobs on A": 1 });
    ledger = claim(ledger, "c", { jobs: 3, "jobs on B": 1 });
    expect(["a", "b", "c"].map((holder) => isGranted(ledger, holder))).toEqual([true, false, true]);
    expect(waitsFor(ledger, "b")).toContain("1 of 1 jobs on A");
  });

  test("go to the next size of a holder who keeps its place", () => {
    let ledger = claim(emptyLedger, "a", { "jobs on A": 1 });
    ledger = claim(ledger, "b", { "jobs on A": 1 });
    expect(isGranted(claim(ledger, "b", { "jobs on B": 1 }), "b")).toBe(true);
  });

  test("are never more than there are, and whoever waits gets one in the end, in order", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("claim" as const), holder: fc.nat(20), size: fc.constantFrom("A", "B") }),
      fc.record({ kind: fc.constant("drop" as const), holder: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let ledger = emptyLedger;
        const check = () => {
          const has = ledger.claims.filter((each) => each.isGranted);
          expect(has.length).toBeLessThanOrEqual(4);
          for (const size of ["A", "B"])
            expect(has.filter(({ needs }) => `on ${size}` in needs).length).toBeLessThanOrEqual(2);
        };
        for (const each of steps) {
          const holder = `h${each.holder}`;
          ledger =
            each.kind === "claim"
              ? claim(ledger, holder, { jobs: 4, [`on ${each.size}`]: 2 })
              : drop(ledger, holder).ledger;
          check();
        }
        const order: string[] = [];
        while (ledger.claims.length > 0) {
          const [first] = ledger.claims.filter((each) => each.isGranted);
          if (first === undefined) throw new Error("nobody has a slot and somebody waits");
          const after = drop(ledger, first.holder);
          order.push(...after.granted);
          ({ ledger } = after);
          check();
        }
        expect(new Set(order).size).toBe(order.length);
      }),
    );
  });
});

const plan = (concurrency?: Plan["settings"]["concurrency"]): Plan =>
  Plan.parse({
    pipeline: "p",
    experimentName: "e",
    tags: {},
    settings: { continueOnStepFailure: false, forceRerun: false, concurrency },
    nodes: [],
    outputs: {},
  });

describe("what needs a slot", () => {
  test("is nothing where nobody sets a limit", () => {
    expect([runNeeds({}, plan()), jobNeeds({}, plan(), "A"), hasJobLimits({}, plan())]).toEqual([{}, {}, false]);
  });

  test("is what the app and the pipeline limit, each by itself, sizes in any letter case", () => {
    const app = { maxRuns: 5, maxJobs: 9, maxJobsPerSize: { standard_a: 2 } };
    const own = plan({ maxRuns: 1, maxJobsPerSize: { Standard_A: 1 } });
    expect(runNeeds(app, own)).toEqual({ runs: 5, "runs of p": 1 });
    expect(jobNeeds(app, own, "Standard_A")).toEqual({
      jobs: 9,
      "jobs on Standard_A": 2,
      "jobs of p on Standard_A": 1,
    });
    expect(jobNeeds(app, own, undefined)).toEqual({ jobs: 9 });
  });
});
