// Retries are decided in the host, and the library counts along; options that the two read differently are refused.
import type { RetryOptions } from "./actions.ts";
import { WouldHang } from "./failures.ts";

const sixDaysMs = 6 * 24 * 3600 * 1000;

/** Milliseconds before the attempt after this one, counted from 0. */
export function retryDelay(options: RetryOptions, attempt: number): number {
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** attempt;
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? sixDaysMs);
}

/** @throws WouldHang for options that the library waits on for ever. */
export function checkRetry(what: string, options: RetryOptions): void {
  const fail = (reason: string): never => {
    throw new WouldHang(`retry options of '${what}': ${reason}`);
  };
  if (!(options.maxNumberOfAttempts >= 1)) fail("maxNumberOfAttempts must be 1 or more");
  if (options.retryTimeoutInMilliseconds !== undefined)
    fail("retryTimeoutInMilliseconds is not followed by the library");
  if (!(options.firstRetryIntervalInMilliseconds > 0)) fail("firstRetryIntervalInMilliseconds must be above 0");
  if (options.firstRetryIntervalInMilliseconds > sixDaysMs) fail("firstRetryIntervalInMilliseconds is above 6 days");
  if ((options.maxRetryIntervalInMilliseconds ?? 0) > sixDaysMs) fail("maxRetryIntervalInMilliseconds is above 6 days");
  if (!(retryDelay(options, options.maxNumberOfAttempts) > 0)) fail("the delay shrinks to nothing");
}
