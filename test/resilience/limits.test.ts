// Runs and jobs that have to wait their turn, and what is left behind by those who died, on a whole stack.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeInstanceId } from "#shared/domain/layout.ts";
import { nodeOf, shell } from "../suite/app.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";

let own: OwnStack;
beforeAll(async () => {
  own = await startOwnStack({ MLPIPE_MAX_RUNS: "2", MLPIPE_MAX_JOBS: "2" });
});
afterAll(() => own.stop());

const alone = { mlpipe: { concurrency: { max_runs: 1 } } };

async function cancel(runId: string): Promise<void> {
  await own.app.call(`runs/${runId}/cancel`, { method: "POST", body: {} });
}

describe("jobs that are limited", () => {
  test("are never more than that at once, and all come to their turn", async () => {
    const { app, controls } = own;
    const names = Array.from({ length: 6 }, (_, index) => `n${index}`);
    const { runId } = await app.start(Object.fromEntries(names.map((name) => [name, shell("sleep 0.3")])));
    const waiting = await app.until(runId, ({ nodes }) => nodes.some(({ waitsFor }) => waitsFor !== undefined));
    expect(waiting.nodes.find(({ waitsFor }) => waitsFor !== undefined)).toMatchObject({
      status: "queued",
      waitsFor: expect.stringMatching(/^a free slot: 2 of 2 jobs are on their way; /),
    });
    expect((await app.ended(runId)).status).toBe("completed");

    const stays = await Promise.all(
      names.map(async (name) => {
        const { statuses } = await controls.job(`${runId}-${name}-1`);
        return [statuses[0], statuses.at(-1)].map((status) => Date.parse(status?.at ?? ""));
      }),
    );
    const crowds = stays.map(([begin = 0]) => stays.filter(([from = 0, to = 0]) => from <= begin && begin < to).length);
    expect(Math.max(...crowds)).toBe(2);
  });
});

describe("runs of a pipeline that are limited", () => {
  test("begin in the order in which they came; one that is cancelled in the queue never began", async () => {
    const { app, controls } = own;
    const [first, second, third] = [
      await app.start({ a: shell("sleep 600") }, { name: "queue", settings: alone }),
      await app.start({ a: shell("true") }, { name: "queue", settings: alone }),
      await app.start({ a: shell("true") }, { name: "queue", settings: alone }),
    ];
    const queued = await app.until(third.runId, ({ waitsFor }) => waitsFor !== undefined);
    expect(queued).toMatchObject({
      status: "queued",
      waitsFor: "a free slot: 1 of 1 runs of queue are on their way; 1 before it",
      nodes: [{ status: "waiting" }],
    });
    const list = (await (await app.call("runs?status=queued")).json()) as { runs: { runId: string }[] };
    expect(list.runs.map(({ runId }) => runId)).toEqual([third.runId, second.runId]);

    await cancel(second.runId);
    expect((await app.ended(second.runId)).status).toBe("canceled");
    expect(await controls.jobPuts(second.runId)).toEqual([]);
    await cancel(first.runId);
    expect((await app.ended(third.runId)).status).toBe("completed");
  });

  test("go on when the one before was killed without a word, and its job is found and cancelled", async () => {
    const { app, controls } = own;
    const dead = await app.start({ a: shell("sleep 600") }, { name: "orphan", settings: alone });
    await app.until(dead.runId, (run) => nodeOf(run, "a").jobName !== undefined);
    const next = await app.start({ a: shell("true") }, { name: "orphan", settings: alone });
    await app.until(next.runId, ({ waitsFor }) => waitsFor !== undefined);
    for (const id of [dead.runId, nodeInstanceId(dead.runId, "a")]) await own.terminate(id);
    await expect
      .poll(
        async () => {
          await own.runTimer("reapJobs");
          return (await controls.job(`${dead.runId}-a-1`)).statuses.at(-1)?.status;
        },
        { timeout: 60_000, interval: 2_000 },
      )
      .toBe("Canceled");
    expect((await app.ended(next.runId)).status).toBe("completed");
  }, 90_000);
});
