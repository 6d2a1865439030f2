// Messages that were given up: kept newest first, a bounded number for each webhook.
import type { Records } from "#shared/azure/records.ts";
import { DeadLetter, deadLetterFolder } from "#shared/domain/webhook/notification.ts";

const keptLetters = 1_000;

export type DeadLetters = ReturnType<typeof createDeadLetters>;

export function createDeadLetters({ records }: { records: Records }) {
  const pathOf = (webhook: string, id: string) => `${deadLetterFolder(webhook)}${id}`;

  return {
    async add(webhook: string, letter: DeadLetter): Promise<void> {
      await records.replace(pathOf(webhook, letter.id), JSON.stringify(letter), undefined);
      const { continuation } = await records.page(deadLetterFolder(webhook), keptLetters);
      if (continuation === undefined) return;
      const { entries } = await records.page(deadLetterFolder(webhook), keptLetters, continuation);
      for (const { path } of entries) await records.remove(path);
    },

    /** A page, newest first. */
    async page(webhook: string, limit: number, continuation?: string) {
      const page = await records.page(deadLetterFolder(webhook), limit, continuation);
      const texts = await Promise.all(page.entries.map(({ path }) => records.read(path)));
      return {
        letters: texts.flatMap((stored) => (stored === undefined ? [] : [DeadLetter.parse(JSON.parse(stored.text))])),
        ...(page.continuation === undefined ? {} : { continuation: page.continuation }),
      };
    },

    async find(webhook: string, id: string): Promise<DeadLetter | undefined> {
      const stored = await records.read(pathOf(webhook, id));
      return stored === undefined ? undefined : DeadLetter.parse(JSON.parse(stored.text));
    },

    async remove(webhook: string, id: string): Promise<void> {
      await records.remove(pathOf(webhook, id));
    },
  };
}
