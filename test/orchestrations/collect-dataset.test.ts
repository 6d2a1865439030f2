import { describe, expect, test } from "vitest";
import { collectDataset } from "#orchestrations/collect-dataset.ts";
import { play } from "./stage.ts";

const input = { dataset: "images", version: "2026-01" };
const waiting = (files: number, until = "2026-01-06T10:00:00.000Z") => ({
  kind: "waiting",
  missing: ["d"],
  files,
  until,
});
const look = { kind: "look" };

/** Plays with these answers of the activity, one after the other; the last one again and again. */
function collect(answers: readonly unknown[], events: (wait: number) => unknown = () => look) {
  let looks = 0;
  return play(collectDataset, {
    input,
    activity: () => {
      const answer = answers[Math.min(looks, answers.length - 1)];
      looks += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    event: events,
  });
}

describe("the collector of a version", () => {
  test("looks, sleeps until something is written, and ends when all that lies there is dealt with", () => {
    const { output, stage } = collect([waiting(1), waiting(3), { kind: "arrived", runId: "r" }, { kind: "done" }]);
    expect(output).toBeNull();
    expect(stage.calls).toEqual(Array.from({ length: 4 }, () => ({ name: "advanceDataset", input })));
    expect(stage.generations).toBe(1);
    expect(stage.statuses).toEqual([
      { ...input, missing: ["d"], files: 1 },
      { ...input, missing: ["d"], files: 3 },
    ]);
  });

  test("looks once more after a run was started, for what was written meanwhile", () => {
    const answers = [{ kind: "arrived", runId: "r" }, waiting(4), { kind: "arrived", runId: "s" }, { kind: "done" }];
    expect(collect(answers).stage.calls).toHaveLength(4);
  });

  test("looks by itself when no event comes, ever more rarely, each time with a fresh history", () => {
    const answers = [waiting(1), waiting(1), waiting(1), waiting(1), { kind: "done" }];
    const { stage } = collect(answers, () => undefined);
    expect(stage.generations).toBe(5);
    expect(stage.elapsedSeconds).toBe(10 + 20 + 40 + 80);
  });

  test("looks soon again as long as files come in", () => {
    const answers = [waiting(1), waiting(1), waiting(1), waiting(2), waiting(2), { kind: "done" }];
    const { stage } = collect(answers, () => undefined);
    expect(stage.elapsedSeconds).toBe(10 + 20 + 40 + 10 + 20);
  });

  test("looks the moment that time alone would change the answer", () => {
    const { stage } = collect([waiting(1, "2026-01-05T10:00:04.000Z"), { kind: "done" }], () => undefined);
    expect(stage.elapsedSeconds).toBe(4);
  });

  test("is not ended by a store that does not answer", () => {
    const { output, stage } = collect([new Error("down"), waiting(1), { kind: "done" }], (wait) =>
      wait === 1 ? undefined : look,
    );
    expect(output).toBeNull();
    expect(stage.elapsedSeconds).toBe(300);
  });

  test("drops its history after so many wake-ups, and looks first in the next generation", () => {
    const answers = [...Array.from({ length: 120 }, (_, index) => waiting(index)), { kind: "done" }];
    const { stage } = collect(answers);
    expect(stage.generations).toBe(3);
    expect(stage.calls).toHaveLength(121);
  });
});
