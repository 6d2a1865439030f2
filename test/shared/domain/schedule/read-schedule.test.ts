import { describe, expect, test } from "vitest";
import { readSchedule } from "#shared/domain/schedule/read-schedule.ts";
import { formatIssue } from "#shared/errors.ts";

const read = (lines: string, file?: string) => readSchedule(lines, file === undefined ? {} : { file });
const texts = (lines: string, file?: string) =>
  read(lines, file).issues.map((issue) => `${issue.severity}: ${formatIssue(issue)}`);

/** A schedule whose trigger is what matters. */
const triggered = (trigger: string) => `name: s\ncreate_job: azureml:p\ntrigger: ${trigger}`;
const triggerOf = (trigger: string) => {
  const { schedule, issues } = read(triggered(trigger));
  if (schedule === undefined) throw new Error(issues.map(formatIssue).join("\n"));
  return schedule.trigger;
};

// The files of Azure ML's own documentation, in our words.
const cron = `
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: hourly
display_name: Every hour
description: an hourly schedule
trigger:
  type: cron
  expression: "0 * * * *"
  start_time: "2022-07-10T10:00:00" # local to the zone
  time_zone: "Pacific Standard Time"
create_job:
  type: pipeline
  job: ./simple-pipeline-job.yml
  settings:
    continue_on_step_failure: true
  inputs:
    top_level_input: \${{name}}
  tags:
    schedule: hourly
`;
const recurrence = `
name: mornings
trigger:
  type: recurrence
  frequency: day
  interval: 1
  schedule:
    hours: [4, 5, 10]
    minutes: [0, 30]
  start_time: "2022-07-10T10:00:00"
  time_zone: Pacific Standard Time
create_job: ./simple-pipeline-job.yml
`;

describe("a schedule in Azure ML's YAML", () => {
  test("with a cron trigger is read", () => {
    expect(read(cron, "schedules/hourly.yml")).toMatchObject({
      issues: [],
      schedule: {
        name: "hourly",
        displayName: "Every hour",
        trigger: {
          type: "cron",
          expression: "0 * * * *",
          timeZone: "America/Los_Angeles",
          startTime: "2022-07-10T17:00:00.000Z",
        },
        overlap: "skip",
        catchUp: "last",
        createJob: {
          pipeline: { kind: "file", path: "schedules/simple-pipeline-job.yml" },
          inputs: { top_level_input: "${{name}}" },
          settings: { continue_on_step_failure: true },
          tags: { schedule: "hourly" },
        },
      },
    });
  });

  test("with a recurrence is read, its block called `schedule` or `pattern`", () => {
    const expected = {
      type: "recurrence",
      frequency: "day",
      interval: 1,
      pattern: { hours: [4, 5, 10], minutes: [0, 30] },
      timeZone: "America/Los_Angeles",
    };
    expect(read(recurrence, "a.yml").schedule?.trigger).toMatchObject(expected);
    expect(read(recurrence.replace("  schedule:", "  pattern:"), "a.yml").schedule?.trigger).toMatchObject(expected);
  });

  test("takes single values for lists, days by name, and plural frequencies", () => {
    const trigger =
      "{type: recurrence, frequency: weeks, interval: 2, schedule: {hours: 3, minutes: 0, week_days: Monday}}";
    expect(triggerOf(trigger)).toEqual({
      type: "recurrence",
      frequency: "week",
      interval: 2,
      timeZone: "UTC",
      pattern: { hours: [3], minutes: [0], weekDays: ["monday"] },
    });
  });

  test.for([
    ["2026-01-05T10:15:00-04:00", "2026-01-05T14:15:00.000Z"],
    ["2026-01-05T10:15:00Z", "2026-01-05T10:15:00.000Z"],
    ["2026-01-05 10:15", "2026-01-05T09:15:00.000Z"],
    ["2026-07-05", "2026-07-04T22:00:00.000Z"],
    // Skipped by the clock: as long after 02:00 as it says.
    ["2026-03-29T02:30:00", "2026-03-29T01:30:00.000Z"],
  ])("reads the start time %s on the zone's clock", ([written, instant]) => {
    const trigger = `{type: cron, expression: 0 3 * * *, time_zone: Europe/Berlin, start_time: "${written}"}`;
    expect(triggerOf(trigger).startTime).toBe(instant);
  });

  test("starts a pipeline by its name, or a pipeline written in place", () => {
    const pipelineOf = (createJob: string) =>
      read(`name: s\ntrigger: {type: cron, expression: 0 3 * * *}\n${createJob}`).schedule?.createJob.pipeline;
    expect(pipelineOf("create_job: azureml:fashion_mnist")).toEqual({ kind: "named", name: "fashion_mnist" });
    expect(pipelineOf("create_job: {type: pipeline, job: fashion_mnist}")).toEqual({
      kind: "named",
      name: "fashion_mnist",
    });
    expect(pipelineOf("create_job: {type: pipeline, jobs: {a: {}}}")).toMatchObject({ kind: "document" });
  });

  test("takes mlpipe's own policies from properties", () => {
    const properties =
      "properties: {mlpipe.overlap: cancel-previous, mlpipe.catch_up: all, mlpipe.max_catch_up: '3', mine: x}";
    expect(read(`${triggered("{type: cron, expression: 0 3 * * *}")}\n${properties}`)).toMatchObject({
      issues: [],
      schedule: { overlap: "cancel-previous", catchUp: "all", maxCatchUp: 3 },
    });
  });
});

/** What is told -> a schedule that it is told of. */
const errors: [string, string][] = (
  [
    ["", "is empty"],
    ["[]", "expected a schedule, got a list"],
    ["name: s", "expected a `trigger`"],
    [triggered("{type: daily}"), "expected one of `cron`, `recurrence`, got the text `daily`"],
    [triggered("{type: cron}"), "needs an `expression`, got nothing"],
    [triggered("{type: cron, expression: 0 0 31 2 *}"), "the schedule would never fire"],
    [triggered("{type: cron, expression: 0 0 * * *, start_time: tomorrow}"), "expected a time such as"],
    [triggered("{type: cron, expression: 0 0 * * *, start_time: 2026-02-30T00:00:00}"), "expected a time such as"],
    [
      triggered("{type: cron, expression: 0 0 * * *, start_time: 2026-02-03, end_time: 2026-02-01}"),
      "lies before `start_time`",
    ],
    [triggered("{type: recurrence, interval: 1}"), "needs a `frequency`"],
    [triggered("{type: recurrence, frequency: day}"), "needs an `interval`"],
    [triggered("{type: recurrence, frequency: day, interval: 0}"), "expected a whole number above 0"],
    [triggered("{type: recurrence, frequency: day, interval: 1, schedule: {hours: 3}}"), "`minutes` is missing"],
    [
      triggered("{type: recurrence, frequency: day, interval: 1, schedule: {hours: [], minutes: 0}}"),
      "an empty list leaves no time",
    ],
    [
      triggered("{type: recurrence, frequency: hour, interval: 1, schedule: {hours: 3, minutes: 0}}"),
      "goes with the frequencies day, week and month",
    ],
    [
      triggered("{type: recurrence, frequency: day, interval: 1, schedule: {hours: 3, minutes: 60}}"),
      "expected a whole number from 0 to 59",
    ],
    ["name: s\ntrigger: {type: cron, expression: 0 0 * * *}", "expected a pipeline's file"],
    ["name: s\ntrigger: {type: cron, expression: 0 0 * * *}\ncreate_job: ./p.yml", "came without files beside it"],
    [
      "name: s\ntrigger: {type: cron, expression: 0 0 * * *}\ncreate_job: {type: sweep, job: p}",
      "expected one of `pipeline`",
    ],
    [
      "name: s\ntrigger: {type: cron, expression: 0 0 * * *}\ncreate_job: {type: pipeline, job: p, inputs: {a: [1]}}",
      "expected a literal or",
    ],
  ] as const
).map(([written, reason]) => [reason, written]);

describe("what is wrong with a schedule", () => {
  test("is told all at once, each at its line and column", () => {
    const wrong = `name: not a name
trigger:
  type: cron
  expression: 0 25 * * 7
  time_zone: Europ/Berlin
  intervall: 1
create_job: azureml:p/3
properties:
  mlpipe.overlap: skipp
  mlpipe.catchup: none`;
    expect(texts(wrong, "s.yml")).toEqual([
      expect.stringMatching(/^error: s\.yml:1:7 name: the text `not a name` is no name/),
      expect.stringMatching(/^warning: s\.yml:6:3 trigger\.intervall: `intervall` is not known here/),
      expect.stringMatching(
        /^error: s\.yml:5:14 trigger\.time_zone: the text `Europ\/Berlin` is no time zone.*did you mean `Europe\/Berlin`/,
      ),
      "error: s.yml:4:15 trigger.expression: HOURS `25`: 25 is not between 0 and 23",
      expect.stringMatching(/^error: s\.yml:7:13 create_job: `azureml:p\/3` names no pipeline/),
      expect.stringMatching(/^error: s\.yml:9:19 properties\.mlpipe\.overlap: expected one of .*did you mean `skip`/),
      expect.stringMatching(/^warning: s\.yml:10:3 properties\.mlpipe\.catchup: .*did you mean `mlpipe\.catch_up`/),
    ]);
  });

  test.for(errors)("is a clear error: %s", ([reason, written]) => {
    expect(
      texts(written)
        .filter((line) => line.startsWith("error"))
        .join("\n"),
    ).toContain(reason);
    expect(read(written).schedule).toBeUndefined();
  });

  test("may be only worth a warning: both kinds of days, which Unix cron takes for either", () => {
    expect(texts(triggered("{type: cron, expression: 0 0 13 * 5}"))).toEqual([
      "warning: 3:35 trigger.expression: fires only on days that match DAYS and DAYS-OF-WEEK both",
    ]);
  });

  test("is a name other than the one it is sent under", () => {
    const { issues } = readSchedule(triggered("{type: cron, expression: 0 0 * * *}"), { name: "t" });
    expect(issues.map(({ message }) => message)).toEqual(["the schedule calls itself `s` and is sent as `t`"]);
  });
});
