// Binds an activity's contract to its body. The border is here: what came from a history is parsed before the body sees it, and
// what the body returns is parsed before it is stored.
import type { InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import type { z } from "zod";
import type { ActivityContract } from "#orchestrations/contract.ts";

export interface ActivityImplementation {
  readonly name: string;
  /** Whether the body needs the durable client. */
  readonly needsClient: boolean;
  run(input: unknown, client: () => DurableClient, context: InvocationContext): Promise<unknown>;
}

/** Pairs a contract with the function that does it. */
export function implement<I extends z.ZodType, O extends z.ZodType>(
  contract: ActivityContract<I, O>,
  body: (input: z.output<I>) => Promise<z.input<O>>,
): ActivityImplementation {
  return {
    name: contract.name,
    needsClient: false,
    run: async (input) => contract.output.parse(await body(contract.input.parse(input))),
  };
}

/** The same for a body that talks to other instances. */
export function implementWithClient<I extends z.ZodType, O extends z.ZodType>(
  contract: ActivityContract<I, O>,
  body: (input: z.output<I>, client: DurableClient) => Promise<z.input<O>>,
): ActivityImplementation {
  return {
    name: contract.name,
    needsClient: true,
    run: async (input, client) => contract.output.parse(await body(contract.input.parse(input), client())),
  };
}
