import { expect, test } from "vitest";
import { runAll } from "./busy-service.ts";
import { startOwnStack } from "./own-stack.ts";

// `bench/busy-service.ts` is the same with a hundred runs and an outage of two minutes.
test("no run fails by a service that is busy, fails at random and is down for a while; it is not asked much more often", async () => {
  const own = await startOwnStack();
  try {
    const well = await runAll(own, 6);
    expect(well.statuses).toEqual({ completed: 6 });
    const busy = await runAll(own, 6, { afterSeconds: 1, seconds: 10 });
    expect(busy.statuses).toEqual({ completed: 6 });
    expect(busy.told).toBeGreaterThan(0);
    expect(busy.tooEarly).toBe(0);
    // A handful of calls is much in so short a sample: those that find out that the service is back.
    expect(busy.calls).toBeLessThan(2 * well.calls + 15);
  } finally {
    await own.stop();
  }
}, 180_000);
