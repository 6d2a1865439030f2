// The ledgers of runs with a cap, each a blob beside its run's plan.
import {
  CostLedger,
  describeCap,
  lend,
  type LoanRequest,
  loseJob,
  openLedger,
  settle,
} from "#shared/domain/cost/cost-ledger.ts";
import { costOf } from "#shared/domain/cost/money.ts";
import { costLedgerPath } from "#shared/domain/layout.ts";
import { createGuardedDocument, type GuardedRecords } from "../guarded-document.ts";

/** Ledgers whose writers of this process know of each other. */
const keptLedgers = 200;

export type CostLedgers = ReturnType<typeof createCostLedgers>;

/** @param pause waits so many milliseconds before another try */
export function createCostLedgers({
  records,
  pause,
}: {
  records: GuardedRecords;
  pause?: (ms: number) => Promise<unknown>;
}) {
  type Document = ReturnType<typeof open>;
  const known = new Map<string, Document>();

  /** @param cap millionths; holds from the first write on */
  function open(runId: string, cap: number) {
    const read = (text: string | undefined) =>
      text === undefined ? openLedger(cap) : CostLedger.parse(JSON.parse(text));
    return createGuardedDocument(records, costLedgerPath(runId), read, pause);
  }

  function of(runId: string, cap: number): Document {
    const document = known.get(runId) ?? open(runId, cap);
    known.delete(runId);
    known.set(runId, document);
    for (const [id, each] of known) {
      if (known.size <= keptLedgers) break;
      if (each.isIdle()) known.delete(id);
    }
    return document;
  }

  return {
    /** Lends money as far as there is any; see `lend`. */
    lend: (runId: string, cap: number, request: LoanRequest) =>
      of(runId, cap).change((before) => {
        const { ledger, allowance } = lend(before, request);
        const rate = ledger.live[request.job]?.rate ?? request.rate;
        const answer = { allowance, rate, ledger, reason: describeCap(ledger) };
        return { document: ledger, answer };
      }),

    /** Takes down what a job has cost. @param lostSince see `loseJob` */
    settle: (runId: string, cap: number, job: string, cost: number, lostSince?: string) =>
      of(runId, cap).change((before) => {
        const document = lostSince === undefined ? settle(before, job, cost) : loseJob(before, job, cost, lostSince);
        return { document, answer: undefined };
      }),

    /** Frees the money of jobs that were lost and are known to have ended by `time`: no later than that, or than it lasted. */
    settleLost: (runId: string, cap: number, jobs: readonly string[], time: number) =>
      of(runId, cap).change((before) => {
        let document = before;
        for (const job of jobs) {
          const { rate = 0, allowance = 0, lostSince } = document.live[job] ?? {};
          if (lostSince === undefined) continue;
          const cost = Math.min(allowance, costOf(rate, (time - Date.parse(lostSince)) / 1000));
          document = settle(document, job, cost);
        }
        return { document, answer: document };
      }),

    /** Whether a job's account is closed, so that nobody may start it any more: an order that comes twice may come that late. */
    async isClosed(runId: string, job: string): Promise<boolean> {
      const ledger = await this.find(runId);
      return ledger?.ended[job] !== undefined || ledger?.live[job]?.lostSince !== undefined;
    },

    /** The ledger as it is now; undefined before the first loan. */
    async find(runId: string): Promise<CostLedger | undefined> {
      const found = await records.read(costLedgerPath(runId));
      return found === undefined ? undefined : CostLedger.parse(JSON.parse(found.text));
    },
  };
}
