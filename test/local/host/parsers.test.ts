import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hideCredentials, toInvocationFailure } from "#local/host/failure.ts";
import { ensureHostKeys } from "#local/host/host-keys.ts";
import { parseSchedule } from "#local/host/ncrontab.ts";
import { retryDelayMs } from "#local/host/retry.ts";
import { parseRouteTemplate } from "#local/host/route-template.ts";
import { parseTimeSpan } from "#local/host/time-span.ts";
import { copyTypedData, toJsonData } from "#local/host/typed-data.ts";
import { createTempFolder } from "./start-app.ts";

describe("route templates", () => {
  test.for<[string, string, Record<string, string> | undefined]>([
    ["users/{id}", "Users/a", { id: "a" }],
    ["users/{id}", "users", undefined],
    ["users/{id?}", "users", {}],
    ["users/{id=me}", "users", { id: "me" }],
    ["users/{id:int?}", "users/x", undefined],
    ["files/{*path}", "files/a/b", { path: "a/b" }],
    ["files/{*path}", "files", {}],
    ["{name}.{ext}", "a.tar.gz", { name: "a.tar", ext: "gz" }],
    ["{name}.{ext?}", "a", { name: "a" }],
    ["{name}.{ext?}", "a.b", { name: "a", ext: "b" }],
    ["v{major:range(1,3)}", "v3", { major: "3" }],
    ["v{major:range(1,3)}", "v4", undefined],
    ["{code:regex(^\\d{{3}}-[a-z/]+$)}", "123-ab", { code: "123-ab" }],
    ["{code:regex(^\\d{{3}}-[a-z/]+$)}", "12-ab", undefined],
    ["{id:guid}", "0f8fad5b-d9cb-469f-a165-70867728950e", { id: "0f8fad5b-d9cb-469f-a165-70867728950e" }],
    ["{word:alpha:length(2,3)}", "abcd", undefined],
    ["{flag:bool}/{when:datetime}", "TRUE/2026-10-05T03:00:00Z", { flag: "TRUE", when: "2026-10-05T03:00:00Z" }],
    ["{when:datetime}", "yesterday", undefined],
    ["{n:int}", "2147483648", undefined],
    ["{n:long}", "2147483648", { n: "2147483648" }],
    ["{n:double}", "1.5e3", { n: "1.5e3" }],
    ["a.c/{{x}}", "abc/{x}", undefined],
    ["a.c/{{x}}", "a.c/{x}", {}],
  ])("%s takes %s as %o", ([template, path, params]) => {
    const found = parseRouteTemplate(template).match(path);
    expect(found === undefined ? undefined : { ...found }).toEqual(params);
  });

  test.for<[string, string]>([
    ["{a", "its braces do not match"],
    ["a//b", "empty segment"],
    ["{a}{b}", "two parameters touch"],
    ["{*rest}/x", "the catch-all {*rest} must be the whole last segment"],
    ["{a?}/b", "the optional parameter {a?} must be the last segment"],
    ["{a?}.{b?}", "the optional parameter {a?} must be the last segment"],
    ["{a}/{A}", "{a} appears twice"],
    ["{a:odd}", 'the constraint "odd" is unknown'],
    ["{a:length(x)}", 'the constraint "length(x)" has wrong arguments'],
    ["{a:regex([)}", 'the constraint "regex([)" has wrong arguments'],
    ["{:int}", "has no parameter name"],
  ])("%s is refused: %s", ([template, reason]) => {
    expect(() => parseRouteTemplate(template)).toThrow(reason);
  });
});

describe("schedules", () => {
  async function occurrences(text: string, from: string, count: number, timeZone = "UTC"): Promise<string[]> {
    const schedule = await parseSchedule(text, timeZone);
    const found: string[] = [];
    for (let at: Date | undefined = new Date(from); found.length < count;) {
      at = schedule.next(at);
      if (at === undefined) break;
      found.push(at.toISOString().slice(0, 19));
    }
    return found;
  }

  test("day of month and day of week must both match", async () => {
    expect(await occurrences("0 0 0 13 * FRI", "2026-01-01T00:00:00Z", 2)).toEqual([
      "2026-02-13T00:00:00",
      "2026-03-13T00:00:00",
    ]);
  });

  test("five fields start at the minute, and a step without an end goes to the maximum", async () => {
    expect(await occurrences("50/5 3 * JAN-FEB *", "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-01T03:50:00",
      "2026-01-01T03:55:00",
      "2026-01-02T03:50:00",
    ]);
  });

  test("when clocks go back an interval runs through the doubled hour and a point once", async () => {
    const from = "2026-10-24T23:45:00Z";
    expect(await occurrences("0 */30 * * * *", from, 5, "Europe/Berlin")).toEqual(
      ["00:00", "00:30", "01:00", "01:30", "02:00"].map((time) => `2026-10-25T${time}:00`),
    );
    expect(await occurrences("0 30 2,14 * * *", from, 2, "Europe/Berlin")).toEqual([
      "2026-10-25T00:30:00",
      "2026-10-25T13:30:00",
    ]);
  });

  test("a date that never comes is no occurrence", async () => {
    expect(await occurrences("0 0 0 31 2 *", "2026-01-01T00:00:00Z", 1)).toEqual([]);
  });

  test.for([
    "* * * *",
    "0 0 0 * * 7",
    "0 0 0 L * *",
    "0 0 0 ? * *",
    "0 0 0 * * MON#2",
    "60 * * * * *",
    "0 5-1 * * * *",
    "0 */0 * * * *",
    "@daily",
    "00:00:00",
  ])("%s is refused", async (text) => {
    await expect(parseSchedule(text, "UTC")).rejects.toThrow(`The schedule "${text}"`);
  });

  test("only what comes round within a minute goes unmonitored", async () => {
    const texts = [
      "* * * * * *",
      "*/10 * * * * *",
      "0,30 * * * * *",
      "0 * * * * *",
      "*/10 0 * * * *",
      "00:00:30",
      "00:05:00",
    ];
    const judged = await Promise.all(texts.map(async (text) => (await parseSchedule(text, "UTC")).isWithinMinute));
    expect(judged).toEqual([true, true, true, false, false, true, false]);
  });

  test("time spans and retry delays are .NET's", () => {
    expect(["00:05:00", "1.02:03:04.5", "00:30", "24:00:00", "five"].map(parseTimeSpan)).toEqual([
      300_000,
      93_784_500,
      1_800_000,
      undefined,
      undefined,
    ]);
    const backoff = {
      retryStrategy: "exponentialBackoff",
      maxRetryCount: -1,
      minimumInterval: { seconds: 2 },
      maximumInterval: { seconds: 10 },
    } as const;
    expect([0, 1, 2, 3].map((count) => retryDelayMs(backoff, count))).toEqual([2_000, 4_000, 8_000, 10_000]);
  });
});

describe("failures", () => {
  test("credentials go, up to the next quote or the end", () => {
    expect(hideCredentials('see "https://x/y?sv=1&sig=abc%3D&x=1" and go')).toBe(
      'see "https://x/y?sv=1[Hidden Credential]" and go',
    );
    expect(hideCredentials("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b")).toBe("[Hidden Credential]");
    expect(hideCredentials("PWD=x and more")).toBe("[Hidden Credential]");
    expect(hideCredentials("a plain message")).toBe("a plain message");
  });

  test("whatever is thrown has a text", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    expect(
      ["text", { a: 1 }, 7, new Error("error"), circular].map((thrown) => toInvocationFailure(thrown).userMessage),
    ).toEqual(["text", '{"a":1}', "7", "error", "something that has no text was thrown"]);
    const failure = toInvocationFailure(new Error("no"));
    expect(failure.message).toMatch(/^Result: Failure\nException: no\nStack: Error: no\n/);
  });
});

describe("host keys", () => {
  test("are made once, for the owner's eyes, and a file that holds none is refused", () => {
    const folder = createTempFolder();
    const file = join(folder, "host-keys.json");
    const keys = ensureHostKeys(folder);
    expect(new Set([keys.master, keys.default, ...Object.values(keys.system)]).size).toBe(5);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    expect(ensureHostKeys(folder)).toEqual(keys);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(keys);
    writeFileSync(file, '{"master":"short"}');
    expect(() => ensureHostKeys(folder)).toThrow(`${file} does not hold the host's keys`);
  });
});

describe("typed data", () => {
  test("crosses the boundary as a copy that looks as it would after the wire", () => {
    const bytes = Buffer.from("abc");
    const copy = copyTypedData({ bytes });
    bytes[0] = 0;
    expect(copy).toEqual({ bytes: Buffer.from("abc") });
    expect(copyTypedData({ int: 1e20 })).toEqual({ int: 2 ** 63 });
    expect(copyTypedData({ int: -0 })).toEqual({ int: 0 });
    expect(copyTypedData({ string: "a\ud800" })).toEqual({ string: "a\ufffd" });
    expect([toJsonData(undefined), toJsonData(null), toJsonData([1])]).toEqual([{}, {}, { json: "[1]" }]);
  });
});
