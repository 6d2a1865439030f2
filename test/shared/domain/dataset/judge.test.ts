import { describe, expect, test } from "vitest";
import type { Dataset } from "#shared/domain/dataset/dataset.ts";
import {
  type FoundFile,
  isDataFile,
  isDecisive,
  judgeVersion,
  type LastArrival,
} from "#shared/domain/dataset/judge.ts";

const base: Dataset = {
  name: "d",
  path: "datasets/d/{version}/",
  files: [],
  minimumFiles: 1,
  maximumWaitSeconds: 3_600,
  onTimeout: "fail",
  onChange: "new_run",
  allowsEmptyFiles: false,
  pipeline: "p",
  inputs: {},
  tags: {},
};
const file = (path: string, modified = 0, etag = "1", size = 1): FoundFile => ({
  path,
  size,
  etag,
  modified: modified * 1000,
});
const judge = (changes: Partial<Dataset>, found: FoundFile[], now = 0, last?: LastArrival) =>
  judgeVersion({ ...base, ...changes }, found, last, now * 1000);
const started = (...files: FoundFile[]): LastArrival => ({
  isStarted: true,
  manifest: new Map(files.map(({ path, etag }) => [path, etag])),
});

describe("a version with named files", () => {
  const four = { files: ["a", "b", "c-*", "d"] };

  test("waits for the names that are missing", () => {
    expect(judge(four, [file("a"), file("c-1")])).toMatchObject({
      kind: "waiting",
      missing: ["b", "d"],
      until: 3_600_000,
    });
  });

  test("is whole the moment all are there; other files are no part of it", () => {
    const verdict = judge(four, [file("a"), file("b"), file("c-1"), file("c-2"), file("d"), file("README")]);
    expect(verdict).toMatchObject({ kind: "whole", cause: "whole" });
    expect(verdict.kind === "whole" && verdict.files.map(({ path }) => path)).toEqual(["a", "b", "c-1", "c-2", "d"]);
  });

  test("does not count a file without a byte, which a hierarchical namespace shows before the content", () => {
    const found = [file("a"), file("b"), file("c-1"), file("d", 0, "1", 0)];
    expect(judge(four, found)).toMatchObject({ kind: "waiting", missing: ["d"] });
    expect(judge({ ...four, allowsEmptyFiles: true }, found)).toMatchObject({ kind: "whole" });
  });

  test("does not count a copy that is under way", () => {
    expect(judge({ files: ["a"] }, [{ ...file("a"), isPending: true }])).toMatchObject({ kind: "settled" });
  });

  test("that is late fails, or starts with what is there, as its rule says", () => {
    expect(judge(four, [file("a", 10)], 3_609)).toMatchObject({ kind: "waiting" });
    expect(judge(four, [file("a", 10)], 3_610)).toMatchObject({ kind: "overdue", missing: ["b", "c-*", "d"] });
    expect(judge({ ...four, onTimeout: "start" }, [file("a", 10)], 3_610)).toMatchObject({
      kind: "whole",
      cause: "timeout",
    });
  });

  test("and a minimum needs both", () => {
    expect(judge({ files: ["*.jpg"], minimumFiles: 3 }, [file("1.jpg"), file("2.jpg")])).toMatchObject({
      missing: ["3 files (there are 2)"],
    });
  });
});

describe("a version with a marker", () => {
  const marked = { ready: "_READY" };

  test("is whole once the marker and a file are there, in whatever order they came", () => {
    expect(judge(marked, [file("a")])).toMatchObject({ kind: "waiting", missing: ["_READY"] });
    expect(judge(marked, [file("_READY", 0, "1", 0)])).toMatchObject({ kind: "waiting" });
    expect(judge(marked, [file("_READY", 0, "1", 0), file("a", 9)])).toMatchObject({ kind: "whole" });
  });

  test("keeps the marker out of its data", () => {
    const verdict = judge(marked, [file("_READY"), file("a")]);
    expect(verdict.kind === "whole" && verdict.files.map(({ path }) => path)).toEqual(["a"]);
  });

  test("that has run runs again when a file and then the marker are written anew, not for one of them", () => {
    const last = { ...started(file("a")), readyEtag: "1" };
    expect(judge(marked, [file("a"), file("_READY", 5, "2")], 9, last)).toMatchObject({ kind: "settled" });
    expect(judge(marked, [file("a", 5, "2"), file("_READY")], 9, last)).toMatchObject({
      kind: "waiting",
      missing: ["_READY, written anew"],
    });
    expect(judge(marked, [file("a", 5, "2"), file("_READY", 6, "2")], 9, last)).toMatchObject({ kind: "whole" });
  });
});

describe("a version with a quiet period", () => {
  const quiet = { quietSeconds: 30 };

  test("is whole when nothing was written for so long", () => {
    const found = [file("a", 0), file("b", 20)];
    expect(judge(quiet, found, 49)).toMatchObject({ kind: "waiting", until: 50_000 });
    expect(judge(quiet, found, 50)).toMatchObject({ kind: "whole" });
  });

  test("that never pauses is late at its limit", () => {
    const found = [file("a", 0), file("b", 3_599)];
    expect(judge(quiet, found, 3_600)).toMatchObject({ kind: "overdue" });
  });
});

describe("a version that has run", () => {
  const named = { files: ["a", "b"] };
  const last = started(file("a"), file("b"));

  test("needs nothing while its files are what the run was given", () => {
    expect(judge(named, [file("a"), file("b"), file("README", 50)], 60, last)).toEqual({ kind: "settled" });
    expect(judge(named, [file("a")], 60, last)).toEqual({ kind: "settled" });
  });

  test("runs again once after a change, when uploads have paused", () => {
    const found = [file("a", 100, "2"), file("b", 0)];
    expect(judge(named, found, 101, last)).toMatchObject({ kind: "waiting", until: 160_000 });
    expect(judge(named, [file("a", 100, "2"), file("b", 130, "2")], 161, last)).toMatchObject({ kind: "waiting" });
    expect(judge(named, found, 160, last)).toMatchObject({ kind: "whole", changed: [{ path: "a" }] });
  });

  test("leaves a change alone when its rule says so", () => {
    const verdict = judge({ ...named, onChange: "ignore" }, [file("a", 100, "2"), file("b")], 999, last);
    expect(verdict).toMatchObject({ kind: "ignored", changed: [{ path: "a" }] });
  });
});

describe("a version whose last arrival came to nothing", () => {
  const last = { ...started(file("a")), isStarted: false };

  test("stays as it is until a file comes", () => {
    expect(judge({ files: ["a", "b"] }, [file("a")], 9_999, last)).toEqual({ kind: "settled" });
  });

  test("starts at once when it becomes whole, even where changes are ignored", () => {
    const found = [file("a"), file("b", 9_000)];
    expect(judge({ files: ["a", "b"], onChange: "ignore" }, found, 9_001, last)).toMatchObject({ kind: "whole" });
  });

  test("tries again when its marker is written anew", () => {
    const found = [file("a"), file("_READY", 5, "2")];
    expect(judge({ ready: "_READY" }, found, 6, { ...last, readyEtag: "1" })).toMatchObject({ kind: "whole" });
  });
});

describe("an empty folder", () => {
  test("is nothing to wait for", () => {
    expect(judge({ files: ["a"] }, [])).toEqual({ kind: "settled" });
    expect(judge({ files: ["a"] }, [file("README")])).toEqual({ kind: "settled" });
  });
});

describe("an upload", () => {
  test("counts when the rule names it", () => {
    expect(isDataFile({ ...base, files: ["*.csv"] }, "a.csv")).toBe(true);
    expect(isDataFile({ ...base, files: ["*.csv"] }, "a.txt")).toBe(false);
    expect(isDataFile({ ...base, ready: "_READY" }, "_READY")).toBe(false);
  });

  test("is worth a look at once only when it can make the version whole", () => {
    expect(isDecisive({ ...base, files: ["a"] }, "a")).toBe(true);
    expect(isDecisive({ ...base, ready: "_READY" }, "_READY")).toBe(true);
    expect(isDecisive({ ...base, ready: "_READY" }, "a")).toBe(false);
    expect(isDecisive({ ...base, ready: "_READY", files: ["a", "*.b"] }, "a")).toBe(true);
    expect(isDecisive({ ...base, ready: "_READY", files: ["a", "*.b"] }, "x.b")).toBe(false);
    expect(isDecisive({ ...base, quietSeconds: 5 }, "a")).toBe(false);
  });
});
