import type { DurableClient } from "durable-functions";
import { expect, test } from "vitest";
import { createSlots } from "#functions/slots.ts";
import type { Records } from "#shared/azure/records.ts";

/** Records in memory that let another writer in between now and then. */
function createStore(disturb: () => boolean = () => false) {
  const documents = new Map<string, { text: string; version: number }>();
  let writes = 0;
  const records: Pick<Records, "read" | "replace"> = {
    async read(path) {
      await Promise.resolve();
      const found = documents.get(path);
      return found === undefined ? undefined : { text: found.text, etag: String(found.version) };
    },
    async replace(path, text, etag) {
      await Promise.resolve();
      const found = documents.get(path);
      if ((found === undefined ? undefined : String(found.version)) !== etag || disturb()) return false;
      documents.set(path, { text, version: (found?.version ?? 0) + 1 });
      writes += 1;
      return true;
    },
  };
  // Slots use no other member.
  return { records: records as Records, writes: () => writes };
}

function createClient() {
  const woken: string[] = [];
  const client = {
    raiseEvent(id: string) {
      woken.push(id);
      return Promise.resolve();
    },
  };
  return { woken, client: client as unknown as DurableClient };
}

test("claims that come together are written together, and each is answered for itself", async () => {
  const store = createStore();
  const slots = createSlots(store);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => slots.take("jobs", `h${index}`, { jobs: 3 })),
  );
  expect(answers.filter((answer) => answer.isGranted)).toHaveLength(3);
  expect(answers[3]).toEqual({ isGranted: false, waitsFor: "a free slot: 3 of 3 jobs are on their way; it is next" });
  expect(store.writes()).toBeLessThan(5);
});

test("whoever's turn has come is told", async () => {
  const slots = createSlots(createStore());
  const { woken, client } = createClient();
  for (const holder of ["a", "b", "c"]) await slots.take("runs", holder, { runs: 1 });
  await slots.release("runs", ["a"], client);
  expect(woken).toEqual(["b"]);
  expect(await slots.take("runs", "b", { runs: 1 })).toEqual({ isGranted: true });
  expect(await slots.holders("runs")).toEqual(["b", "c"]);
  expect(await slots.holders("jobs")).toEqual([]);
});

test("two apps on one ledger give no slot twice", async () => {
  let count = 0;
  const store = createStore(() => (count += 1) % 3 === 0);
  const [one, other] = [createSlots(store), createSlots(store)];
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? one : other).take("jobs", `h${index}`, { jobs: 4 })),
  );
  expect(answers.filter((answer) => answer.isGranted)).toHaveLength(4);
});

test("without a limit nothing is read or written", async () => {
  const slots = createSlots({
    // Any use of it fails the test.
    records: undefined as unknown as Records,
  });
  expect(await slots.take("jobs", "h", {})).toEqual({ isGranted: true });
});
