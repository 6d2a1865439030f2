// Declares an activity apart from its body, so that every `yield` of an orchestration is typed and a wrong input does not compile.
import type { OrchestrationContext, Task } from "durable-functions";
import { RetryOptions } from "durable-functions";
import type { z } from "zod";

export interface ActivityContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** Registered name. */
  readonly name: string;
  readonly input: I;
  readonly output: O;
  readonly retry: RetryPolicy;
}

export interface RetryPolicy {
  readonly firstRetryMs: number;
  readonly maxAttempts: number;
  readonly backoffCoefficient: number;
  readonly maxRetryMs: number;
}

/** Outlasts a two-minute outage of a service and gives up within about ten. */
export const patiently: RetryPolicy = {
  firstRetryMs: 1_000,
  maxAttempts: 12,
  backoffCoefficient: 2,
  maxRetryMs: 60_000,
};

/** For what somebody waits for who knows better what to do without an answer: gives up within half a minute. */
export const promptly: RetryPolicy = { firstRetryMs: 1_000, maxAttempts: 5, backoffCoefficient: 2, maxRetryMs: 8_000 };

/** For what is nice to have: a run that has its results does not wait long for it. */
export const briefly: RetryPolicy = { firstRetryMs: 500, maxAttempts: 3, backoffCoefficient: 2, maxRetryMs: 2_000 };

/** Declares an activity. The body's border parses both `input` and `output`, so inside the types are true. */
export function activity<I extends z.ZodType, O extends z.ZodType>(
  name: string,
  schemas: { input: I; output: O; retry?: RetryPolicy },
): ActivityContract<I, O> {
  return { name, input: schemas.input, output: schemas.output, retry: schemas.retry ?? patiently };
}

/**
 * Calls an activity with its retry policy and waits for its result.
 *
 * @throws Error whose message carries the activity's own text, after the last attempt
 */
export function* call<I extends z.ZodType, O extends z.ZodType>(
  context: OrchestrationContext,
  contract: ActivityContract<I, O>,
  input: z.input<I>,
): Generator<Task, z.output<O>, unknown> {
  const { firstRetryMs, maxAttempts, backoffCoefficient, maxRetryMs } = contract.retry;
  const retry = new RetryOptions(firstRetryMs, maxAttempts);
  retry.backoffCoefficient = backoffCoefficient;
  retry.maxRetryIntervalInMilliseconds = maxRetryMs;
  // The activity's border has parsed this value with the contract's own schema before it was stored.
  return (yield context.df.callActivityWithRetry(contract.name, retry, input)) as z.output<O>;
}
