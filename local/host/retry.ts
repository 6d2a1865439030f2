// The `retry` option of a trigger, run by the host in memory: a restart forgets the attempts.
import { setTimeout as sleep } from "node:timers/promises";
import type { InvocationRequest, InvocationResult, Worker } from "./contract.ts";
import { isInvocationFailure } from "./failure.ts";

/** As the library registers it: durations in whole seconds. */
export interface RetryOptions {
  readonly retryStrategy: "fixedDelay" | "exponentialBackoff";
  /** -1 means for ever. */
  readonly maxRetryCount: number;
  readonly delayInterval?: { readonly seconds: number };
  readonly minimumInterval?: { readonly seconds: number };
  readonly maximumInterval?: { readonly seconds: number };
}

/**
 * Invokes until it succeeds or the retries are used up.
 * @param signal ends the waiting between attempts; the last failure is then thrown
 */
export async function invokeWithRetry(
  worker: Worker,
  request: InvocationRequest,
  retry: RetryOptions | undefined,
  signal: AbortSignal,
): Promise<InvocationResult> {
  for (let retryCount = 0, next = request; ;) {
    try {
      return await worker.invoke(next);
    } catch (error) {
      const isUsedUp = retry === undefined || (retry.maxRetryCount >= 0 && retryCount >= retry.maxRetryCount);
      if (isUsedUp || signal.aborted || !isInvocationFailure(error)) throw error;
      await sleep(retryDelayMs(retry, retryCount), undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) throw error;
      retryCount += 1;
      const exception = { message: error.userMessage, stackTrace: error.userStack, source: "" };
      next = {
        ...request,
        retryContext: { retryCount, maxRetryCount: retry.maxRetryCount, exception },
      };
    }
  }
}

/** Milliseconds before retry number `retryCount` + 1. */
export function retryDelayMs(retry: RetryOptions, retryCount: number): number {
  if (retry.retryStrategy === "fixedDelay") return (retry.delayInterval?.seconds ?? 0) * 1000;
  const minimum = retry.minimumInterval?.seconds ?? 1;
  const maximum = retry.maximumInterval?.seconds ?? minimum;
  return Math.min(minimum * 2 ** retryCount, maximum) * 1000;
}
