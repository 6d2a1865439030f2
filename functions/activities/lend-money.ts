import type { DurableClient } from "durable-functions";
import type { LoanAnswer, LoanRequest } from "#orchestrations/activities.ts";
import type { Ml } from "#shared/azure/ml.ts";
import { type CostLedger, describeCap, reserveSeconds, shortestSeconds } from "#shared/domain/cost/cost-ledger.ts";
import { costOf, formatUsd, toMicros, toUsd } from "#shared/domain/cost/money.ts";
import { describeMachine, type Machine, machineOf, priceOf, type Prices } from "#shared/domain/cost/prices.ts";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { planNodeOf } from "#shared/domain/plan-node-of.ts";
import { isMlpipeError } from "#shared/errors.ts";
import type { Plans } from "#shared/plans.ts";
import type { CostLedgers } from "../cost/cost-ledgers.ts";
import { findInstance, liveStatuses } from "../instances.ts";

/** The service takes no longer limit on a job's time than this: 21 days. */
const longestCeiling = 21 * 86_400;
const endedStatuses: readonly string[] = ["Completed", "Failed", "Canceled"];

/** Lends a job money from what its run's cap leaves. */
export function createLendMoney({
  plans,
  prices,
  costs,
  ml,
}: {
  plans: Plans;
  prices: Prices;
  costs: CostLedgers;
  ml: Pick<Ml, "getJob">;
}) {
  return async function lendMoney(
    { runId, node, jobName, instanceType, isDedicated, step, used }: LoanRequest,
    client: DurableClient,
  ): Promise<LoanAnswer> {
    const { plan } = await plans.get(runId);
    const planned = planNodeOf(plan, node);
    if (plan.settings.maxCost === undefined || planned === undefined)
      return { kind: "lent", rate: 0, allowance: 0, reason: "" };
    const machine = machineOf(planned, instanceType, isDedicated);
    const price = priceOf(prices, machine);
    if (price === undefined && step === 1) {
      const reason = `the cap of ${formatUsd(plan.settings.maxCost)} cannot be kept on ${describeMachine(machine)}, which has no price: set one in MLPIPE_PRICES`;
      return { kind: "refused", reason, mayWait: false };
    }
    const rate = (price ?? 0) * planned.resources.instanceCount;
    if (rate === 0 && step === 1) return { kind: "lent", rate, allowance: 0, reason: "" };
    const cap = toMicros(plan.settings.maxCost);
    const loan = await costs.lend(runId, cap, { job: jobName, node, rate, step, used });
    if (loan.allowance > 0) {
      const others = Object.values(loan.ledger.ended).reduce((sum, cost) => sum + cost, 0);
      const ceilingSeconds = Math.floor(((cap - others) / loan.rate) * 3600);
      const ceiling = ceilingSeconds > 0 && ceilingSeconds <= longestCeiling ? { ceilingSeconds } : {};
      return { kind: "lent", rate: loan.rate, allowance: loan.allowance, ...ceiling, reason: loan.reason };
    }
    return refuse(runId, cap, loan, machine, client);
  };

  async function refuse(
    runId: string,
    cap: number,
    { ledger: before, rate }: { ledger: CostLedger; rate: number },
    machine: Machine,
    client: DurableClient,
  ): Promise<LoanAnswer> {
    const lost = Object.entries(before.live).flatMap(([job, { lostSince }]) => (lostSince === undefined ? [] : [job]));
    const dead = (await Promise.all(lost.map(isDead))).flatMap((is, index) => (is ? [lost[index] ?? ""] : []));
    const ledger = dead.length === 0 ? before : await costs.settleLost(runId, cap, dead, Date.now());
    const least = formatUsd(toUsd(costOf(rate, shortestSeconds + reserveSeconds)));
    const begin = `, and to begin on ${describeMachine(machine)} takes ${least}`;
    const mayWait = dead.length > 0 || (await mayComeBack(runId, ledger, client));
    return { kind: "refused", reason: `${describeCap(ledger)}${begin}`, mayWait };
  }

  /** Money of a live node's job comes back as far as it is not spent; that of a lost job, nobody can say. */
  async function mayComeBack(runId: string, { live }: CostLedger, client: DurableClient): Promise<boolean> {
    const holders = Object.values(live).filter(({ lostSince }) => lostSince === undefined);
    for (const { node } of holders) {
      const status = await findInstance(client, nodeInstanceId(runId, node));
      if (status !== undefined && liveStatuses.includes(String(status.runtimeStatus))) return true;
    }
    return false;
  }

  async function isDead(jobName: string): Promise<boolean> {
    try {
      const job = await ml.getJob(jobName);
      return job === undefined || endedStatuses.includes(job.properties.status ?? "");
    } catch (error) {
      if (isMlpipeError(error) && error.code === "Unavailable") return false;
      throw error;
    }
  }
}
