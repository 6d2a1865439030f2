// Slots for runs and jobs where their number is limited. Each ledger is one small document, written only as it was read; a claim
// that waits asks again by itself, so telling it that its turn has come is a courtesy that may get lost.
import type { DurableClient } from "durable-functions";
import { inbox, type NodeSignal, type RunSignal } from "#orchestrations/signals.ts";
import type { Records } from "#shared/azure/records.ts";
import { slotsPath } from "#shared/domain/layout.ts";
import {
  dropClaims,
  emptyLedger,
  enterClaim,
  grantClaims,
  isGranted,
  Ledger,
  type Needs,
  waitsFor,
} from "#shared/domain/slots.ts";
import { MlpipeError } from "#shared/errors.ts";

export type SlotKind = "runs" | "jobs";

/** Writers that may get in between before a change is given up for this time. */
const mostTries = 20;

type Change = (ledger: Ledger) => Ledger;

interface Waiting {
  readonly change: Change;
  readonly resolve: (changed: { ledger: Ledger; granted: string[] }) => void;
  readonly reject: (error: unknown) => void;
}

export type Slots = ReturnType<typeof createSlots>;

export function createSlots({ records }: { records: Records }) {
  const ledgers = { runs: openLedger(records, slotsPath("runs")), jobs: openLedger(records, slotsPath("jobs")) };
  return {
    /** Asks for a slot, or for one's place in the queue. */
    async take(kind: SlotKind, holder: string, needs: Needs): Promise<{ isGranted: boolean; waitsFor?: string }> {
      if (Object.keys(needs).length === 0) return { isGranted: true };
      const { ledger } = await ledgers[kind]((before) => enterClaim(before, holder, needs, new Date().toISOString()));
      const words = waitsFor(ledger, holder);
      return { isGranted: isGranted(ledger, holder), ...(words === undefined ? {} : { waitsFor: words }) };
    },

    /** Gives slots and places back, and tells those whose turn has come. */
    async release(kind: SlotKind, holders: readonly string[], client: DurableClient): Promise<void> {
      const gone = new Set(holders);
      const { granted } = await ledgers[kind]((before) => dropClaims(before, gone));
      await Promise.all(granted.map((holder) => wake(client, holder)));
    },

    /** Everybody who has or waits for a slot. */
    async holders(kind: SlotKind): Promise<string[]> {
      const { ledger } = await ledgers[kind]((before) => before);
      return ledger.claims.map(({ holder }) => holder);
    },
  };
}

async function wake(client: DurableClient, holder: string): Promise<void> {
  const signal: Extract<RunSignal, NodeSignal> = { kind: "slot-free" };
  // It asks again by itself, or has ended.
  await client.raiseEvent(holder, inbox, signal).catch(() => undefined);
}

/** One ledger. Changes of this process that come together are written together. */
function openLedger(records: Records, path: string) {
  let queue: Waiting[] = [];
  let isWriting = false;

  async function write(changes: readonly Change[]): Promise<{ ledger: Ledger; granted: string[] }> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const found = await records.read(path);
      const before = found === undefined ? emptyLedger : Ledger.parse(JSON.parse(found.text));
      const { ledger, granted } = grantClaims(changes.reduce((each, change) => change(each), before));
      if (ledger === before || (await records.replace(path, JSON.stringify(ledger), found?.etag)))
        return { ledger, granted };
    }
    throw new MlpipeError("Unavailable", "Too many others ask for slots at this moment", { retryAfterSeconds: 2 });
  }

  async function drain(): Promise<void> {
    isWriting = true;
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        const changed = await write(batch.map(({ change }) => change));
        // One of the batch tells those who are next.
        for (const [index, { resolve }] of batch.entries())
          resolve(index === 0 ? changed : { ...changed, granted: [] });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isWriting = false;
  }

  return (change: Change) =>
    new Promise<{ ledger: Ledger; granted: string[] }>((resolve, reject) => {
      queue.push({ change, resolve, reject });
      if (!isWriting) void drain();
    });
}
