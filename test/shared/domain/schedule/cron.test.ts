import { describe, expect, test } from "vitest";
import { parseCron } from "#shared/domain/schedule/cron.ts";

describe("a cron expression", () => {
  test("takes lists, ranges, steps and names", () => {
    const cron = parseCron("0,30 8-18/5 1-31/10 jan,JUNE Mon-fri");
    expect(cron).toMatchObject({ minutes: [0, 30], hours: [8, 13, 18], isEveryHour: true, hasBothDays: true });
    if (typeof cron === "string") throw new Error(cron);
    expect([...cron.days]).toEqual([1, 11, 21, 31]);
    expect([...cron.months]).toEqual([1, 6]);
    expect([...cron.weekDays]).toEqual([1, 2, 3, 4, 5]);
  });

  test("takes a step from a value to the end", () => {
    expect(parseCron("50/4 3 * * *")).toMatchObject({ minutes: [50, 54, 58], hours: [3], isEveryHour: false });
  });

  test.for([
    ["* * * *", "five fields"],
    ["0 * * * * *", "no field for seconds"],
    ["60 * * * *", "MINUTES `60`: 60 is not between 0 and 59"],
    ["0 0 * * 7", "Sunday is 0"],
    ["0 0 0 * *", "DAYS `0`: 0 is not between 1 and 31"],
    ["0 0 * foo *", "`foo` is no value of it and no name"],
    ["0 0 * * fri-mon", "runs backwards"],
    ["*/0 * * * *", "a step is a whole number above 0"],
    ["1,,2 * * * *", "cannot be read"],
    ["0 0 L * *", "`L` is no value of it"],
    ["0 0 * * 1#2", "`1#2` is no value of it"],
    ["1/2/3 * * * *", "cannot be read"],
    ["-1 * * * *", "`` is no value of it"],
  ])("%s is refused with a reason", ([expression = "", reason = ""]) => {
    expect(parseCron(expression)).toContain(reason);
  });
});
