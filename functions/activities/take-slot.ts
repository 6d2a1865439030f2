import type { Concurrency } from "#shared/domain/concurrency.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { jobNeeds, runNeeds } from "#shared/domain/slot-needs.ts";
import type { Plans } from "#shared/plans.ts";
import type { Slots } from "../slots.ts";

/** A slot for a run, or for a node's job on a size. */
export function createTakeSlot({
  slots,
  plans,
  concurrency,
}: {
  slots: Slots;
  plans: Plans;
  concurrency: Concurrency;
}) {
  return async function takeSlot({
    runId,
    node,
    instanceType,
  }: {
    runId: string;
    node?: string | undefined;
    instanceType?: string | undefined;
  }) {
    const { plan } = await plans.get(runId);
    return node === undefined
      ? slots.take("runs", runId, runNeeds(concurrency, plan))
      : slots.take("jobs", nodeInstanceId(runId, node), jobNeeds(concurrency, plan, instanceType));
  };
}
