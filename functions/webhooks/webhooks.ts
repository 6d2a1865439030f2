// Registrations of webhooks. Every transition of every run asks whether there is one, so the answer is remembered for some seconds.
import type { Records } from "#shared/azure/records.ts";
import { Webhook, webhookFolder, webhookPath } from "#shared/domain/webhook/webhook.ts";
import { MlpipeError } from "#shared/errors.ts";

const rememberedMs = 10_000;
const staleMs = 60_000;
const maxWebhooks = 200;

export type Webhooks = ReturnType<typeof createWebhooks>;

export function createWebhooks({ records }: { records: Records }) {
  let known: { list: Promise<readonly Webhook[]>; time: number } | undefined;

  async function readAll(): Promise<readonly Webhook[]> {
    const { entries } = await records.page(webhookFolder, maxWebhooks);
    const texts = await Promise.all(entries.map(({ path }) => records.read(path)));
    return texts.flatMap((stored) => (stored === undefined ? [] : [Webhook.parse(JSON.parse(stored.text))]));
  }

  function all(maxAgeMs = rememberedMs): Promise<readonly Webhook[]> {
    if (known !== undefined && Date.now() - known.time <= maxAgeMs) return known.list;
    const fresh = { list: readAll(), time: Date.now() };
    known = fresh;
    fresh.list.catch(() => {
      if (known === fresh) known = undefined;
    });
    return fresh.list;
  }

  async function find(name: string): Promise<Webhook | undefined> {
    const stored = await records.read(webhookPath(name));
    return stored === undefined ? undefined : Webhook.parse(JSON.parse(stored.text));
  }

  return {
    /** @param maxAgeMs how old the answer may be */
    all,

    /** As `all`, for those who are in a hurry: an answer that is not quite fresh is given at once, and renewed behind them. */
    async recent(): Promise<readonly Webhook[]> {
      const last = known;
      if (last === undefined || Date.now() - last.time > staleMs) return all();
      all().catch(() => undefined);
      return last.list;
    },

    find,

    /** @throws MlpipeError `NotFound` */
    async get(name: string): Promise<Webhook> {
      const found = await find(name);
      if (found === undefined) throw new MlpipeError("NotFound", `There is no webhook ${name}`);
      return found;
    },

    /**
     * Writes what `change` makes of the registration.
     *
     * @throws MlpipeError `Conflict` when somebody else writes at the same moment
     */
    async change(name: string, change: (before: Webhook | undefined) => Webhook): Promise<Webhook> {
      const stored = await records.read(webhookPath(name));
      const after = change(stored === undefined ? undefined : Webhook.parse(JSON.parse(stored.text)));
      if (!(await records.replace(webhookPath(name), JSON.stringify(after), stored?.etag))) {
        throw new MlpipeError(
          "Conflict",
          `Webhook ${name} was changed by somebody else at this moment; look at it and try again`,
        );
      }
      known = undefined;
      return after;
    },

    /** @throws MlpipeError `NotFound` */
    async remove(name: string): Promise<void> {
      if (!(await records.remove(webhookPath(name)))) throw new MlpipeError("NotFound", `There is no webhook ${name}`);
      known = undefined;
    },
  };
}
