import { describe, expect, test } from "vitest";
import { MlpipeError } from "#shared/errors.ts";
import type { Overlap } from "#shared/domain/schedule/schedule.ts";
import { createWorld, minuteMs, schedule, type World } from "./schedule-world.ts";

const startTime = "2026-01-01T00:00:30Z";

describe("a tick", () => {
  test("starts one run, at its minute", async () => {
    const world = createWorld(schedule(), { startTime });
    await world.play(25);
    expect(world.fates()).toEqual(["00:10 started", "00:20 started"]);
    expect([...world.runs.values()].map(({ started }) => new Date(started).toISOString().slice(11, 19))).toEqual([
      "00:10:30",
      "00:20:30",
    ]);
  });

  test("costs one look at the store while nothing is due", async () => {
    const world = createWorld(schedule(), { startTime });
    await world.play(9);
    expect(world.calls).toBe(9);
  });

  test("whose start a service keeps failing is tried for an hour and then given up", async () => {
    const world = createWorld(schedule({ trigger: { ...schedule().trigger, endTime: "2026-01-01T00:10:00Z" } }), {
      startTime,
      onStart: () => {
        throw new MlpipeError("Unavailable", "The blob store is not answering");
      },
    });
    await world.play(30);
    expect(world.record().fires).toMatchObject([{ status: "starting", problem: "The blob store is not answering" }]);
    await world.play(60);
    expect(world.record().fires).toMatchObject([{ status: "failed", reason: "The blob store is not answering" }]);
    expect(world.runs.size).toBe(0);
  });

  test("that can never start says why and holds up no other", async () => {
    const world = createWorld(schedule(), {
      startTime,
      onStart: ({ tick }) => {
        if (tick.includes("00:10")) throw new MlpipeError("NotFound", "There is no pipeline p in this app; it has q");
      },
    });
    await world.play(25);
    expect(world.fates()).toEqual(["00:10 failed", "00:20 started"]);
    expect(world.record().fires[0]).toMatchObject({ reason: "There is no pipeline p in this app; it has q" });
  });
});

describe("while a run still runs, the next tick", () => {
  const long = { startTime, runMinutes: 25 };

  test("is skipped and names the run", async () => {
    const world = createWorld(schedule({ overlap: "skip" }), long);
    await world.play(45);
    expect(world.fates()).toEqual(["00:10 started", "00:20 skipped", "00:30 skipped", "00:40 started"]);
    const [runId] = world.runs.keys();
    expect(world.record().fires[1]).toMatchObject({ blockedBy: runId, reason: `run ${runId} still runs` });
  });

  test("waits in the queue, first come first served", async () => {
    const world = createWorld(schedule({ overlap: "queue" }), long);
    await world.play(70);
    expect(world.fates().slice(0, 4)).toEqual(["00:10 started", "00:20 started", "00:30 started", "00:40 queued"]);
    const runs = [...world.runs.values()];
    expect(runs.map(({ tick }) => tick.slice(11, 16))).toEqual(["00:10", "00:20", "00:30"]);
    for (const [index, run] of runs.entries()) expect(run.started).toBeGreaterThanOrEqual(runs[index - 1]?.ends ?? 0);
  });

  test("finds the queue full at ten", async () => {
    const world = createWorld(schedule({ overlap: "queue" }), { startTime, runMinutes: 10_000 });
    await world.play(125);
    const fates = world.fates();
    expect(fates.filter((fate) => fate.endsWith("queued"))).toHaveLength(10);
    expect(fates.at(-1)).toBe("02:00 skipped");
    expect(world.record().fires.at(-1)).toMatchObject({ reason: "10 ticks are queued already" });
  });

  test("cancels it and starts", async () => {
    const world = createWorld(schedule({ overlap: "cancel-previous" }), long);
    await world.play(25);
    const [first, second] = [...world.runs.entries()];
    expect(world.fates()).toEqual(["00:10 started", "00:20 started"]);
    expect(world.record().fires[1]).toMatchObject({ cancels: [first?.[0]] });
    expect(first?.[1].ends).toBe(second?.[1].started);
  });

  test("starts beside it where that is allowed", async () => {
    const world = createWorld(schedule({ overlap: "allow" }), long);
    await world.play(25);
    expect(world.fates()).toEqual(["00:10 started", "00:20 started"]);
  });
});

describe("ticks that passed while no host was there", () => {
  async function afterSleep(catchUp: "none" | "last" | "all", maxCatchUp = 10): Promise<World> {
    const world = createWorld(schedule({ catchUp, maxCatchUp, overlap: "allow" }), { startTime });
    world.clock.now += 67 * minuteMs;
    await world.play(4);
    return world;
  }

  test("are left out and counted", async () => {
    const world = await afterSleep("none");
    expect(world.record().fires).toMatchObject([
      { status: "missed", tick: "2026-01-01T00:10:00Z", until: "2026-01-01T01:00:00Z", count: 6 },
      { status: "started", tick: "2026-01-01T01:10:00Z" },
    ]);
  });

  test("are made up for by the newest", async () => {
    const world = await afterSleep("last");
    expect(world.fates()).toEqual(["00:10 missed", "01:00 started", "01:10 started"]);
    expect(world.record().fires[0]).toMatchObject({ until: "2026-01-01T00:50:00Z", count: 5 });
  });

  test("are all made up for, up to the bound", async () => {
    expect((await afterSleep("all")).fates()).toEqual(
      ["00:10", "00:20", "00:30", "00:40", "00:50", "01:00", "01:10"].map((tick) => `${tick} started`),
    );
    expect((await afterSleep("all", 2)).fates()).toEqual([
      "00:10 missed",
      "00:50 started",
      "01:00 started",
      "01:10 started",
    ]);
  });

  test("are on time when a host comes back within five minutes", async () => {
    const world = createWorld(schedule({ catchUp: "none" }), { startTime });
    world.clock.now += 13 * minuteMs;
    await world.play(1);
    expect(world.fates()).toEqual(["00:10 started"]);
  });
});

/** What must hold whatever happened: every tick has one fate, a fate of `started` is one run, and no run is without one. */
function expectNothingLostOrDoubled(world: World, ticks: readonly string[]): void {
  const { fires } = world.record();
  expect(fires.map(({ tick }) => tick.slice(11, 16))).toEqual(ticks);
  const started = fires.flatMap((fire) => (fire.status === "started" ? [fire.runId] : []));
  expect(new Set(started).size).toBe(started.length);
  expect([...world.runs.keys()].toSorted()).toEqual(started.toSorted());
  expect(fires.filter(({ status }) => status === "starting")).toEqual([]);
}

const policies: { overlap: Overlap; runMinutes: number }[] = [
  { overlap: "skip", runMinutes: 3 },
  { overlap: "skip", runMinutes: 15 },
  { overlap: "queue", runMinutes: 12 },
  { overlap: "cancel-previous", runMinutes: 15 },
  { overlap: "allow", runMinutes: 15 },
];

describe("a host that dies", () => {
  test.for(policies)(
    "at any call, with $overlap and runs of $runMinutes minutes, loses and doubles no tick",
    async (policy) => {
      const { overlap, runMinutes } = policy;
      const undisturbed = createWorld(schedule({ overlap }), { startTime, runMinutes });
      await undisturbed.play(34);
      const expected = undisturbed.fates();
      const calls = undisturbed.calls;
      expect(calls).toBeGreaterThan(40);
      for (let at = 1; at <= calls; at += 1) {
        for (const isAfter of [false, true]) {
          const world = createWorld(schedule({ overlap }), { startTime, runMinutes });
          let host = world.createHost({ at, isAfter });
          for (let minute = 0; minute < 34; minute += 1) {
            // Another host takes its place within the minute.
            if ((await host()) === "killed") await (host = world.createHost())();
            world.clock.now += minuteMs;
          }
          expect(world.fates()).toEqual(expected);
          expectNothingLostOrDoubled(world, ["00:10", "00:20", "00:30"]);
        }
      }
    },
  );

  test("at every other call and comes back a minute later, still loses and doubles none", async () => {
    for (let at = 1; at <= 8; at += 1) {
      const world = createWorld(schedule(), { startTime });
      for (let minute = 0; minute < 34; minute += 1) {
        await world.createHost({ at, isAfter: minute % 2 === 0 })();
        world.clock.now += minuteMs;
      }
      await world.play(3);
      // A host that dies at its first call never does anything: then one tick makes up for those that were missed.
      if (at > 1) expectNothingLostOrDoubled(world, ["00:10", "00:20", "00:30"]);
      expect(world.runs.size).toBeGreaterThan(0);
    }
  });
});

describe("several hosts at once", () => {
  test.for(policies)(
    "with $overlap and runs of $runMinutes minutes, start every tick once",
    async ({ overlap, runMinutes }) => {
      for (let seed = 1; seed <= 40; seed += 1) {
        let state = seed;
        const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
        const turn = async () => {
          for (let pause = Math.floor(random() * 6); pause > 0; pause -= 1) await Promise.resolve();
        };
        const world = createWorld(schedule({ overlap }), { startTime, runMinutes, turn });
        for (let minute = 0; minute < 34; minute += 1) {
          const hosts = Array.from({ length: 3 }, () => {
            const kill = random() < 0.3 ? { at: 1 + Math.floor(random() * 6), isAfter: random() < 0.5 } : undefined;
            return world.createHost(kill)();
          });
          await Promise.all(hosts);
          world.clock.now += minuteMs;
        }
        await world.play(1);
        expectNothingLostOrDoubled(world, ["00:10", "00:20", "00:30"]);
        expect(world.runs.size).toBeGreaterThan(0);
      }
    },
  );
});
