import { afterEach } from "vitest";

import { type Harness, type HarnessOptions, startHarness } from "./harness.ts";

/** A starter whose harnesses are stopped after each test. */
export function useHarness(): (options?: HarnessOptions) => Promise<Harness> {
  const started: Harness[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((harness) => harness.stop()));
  });
  return async (options) => {
    const harness = await startHarness(options);
    started.push(harness);
    return harness;
  };
}
