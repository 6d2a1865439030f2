// The harness runs here as it runs in a job: by bash and a Python with nothing installed.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { jobCommand } from "#shared/domain/job-command.ts";
import { type ParallelSettings, parallelScript } from "#shared/domain/parallel/parallel-script.ts";

const root = mkdtempSync(join(tmpdir(), "mlpipe-parallel-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;

interface Trial extends Partial<ParallelSettings> {
  readonly files: Readonly<Record<string, string>>;
  /** What the input is: the folder, or one of its files. */
  readonly at?: string;
  readonly script: string;
}

/** Runs a script over files. */
function run({ files, at = "", script, ...settings }: Trial): { code: number | null; rows: string; log: string } {
  const folder = join(root, String((count += 1)));
  const data = join(folder, "data");
  mkdirSync(join(data, "deep"), { recursive: true });
  mkdirSync(join(folder, "code"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(data, name), content);
  writeFileSync(join(folder, "code", "batch.py"), script);
  const written = parallelScript({
    entryScript: "batch.py",
    input: "data",
    miniBatch: { files: 1 },
    concurrency: 2,
    maxRetries: 1,
    timeoutSeconds: 20,
    errorThreshold: -1,
    miniBatchErrorThreshold: -1,
    loggingLevel: "INFO",
    appendRowTo: "${{outputs.rows}}",
    ...settings,
  });
  const command = jobCommand(written, { data: { kind: "data" } })
    .replaceAll("${{inputs.data}}", join(data, at))
    .replaceAll("${{outputs.rows}}", join(folder, "rows"));
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: join(folder, "code") });
  let rows = "";
  try {
    rows = readFileSync(join(folder, "rows"), "utf8");
  } catch {
    // Nothing was to be appended.
  }
  return { code: status, rows, log: `${String(stdout)}${String(stderr)}` };
}

const names = { "b.txt": "2", "a.txt": "1", "deep/c.txt": "3", "d.txt": "4", "e.txt": "5" };
const listing = `
import os
def run(mini_batch):
    return [",".join(os.path.basename(path) for path in mini_batch)] * len(mini_batch)
`;

describe("a parallel job", () => {
  test("gives so many files at a time, and appends rows in the order of mini-batches", () => {
    const { code, rows } = run({ files: names, script: listing, miniBatch: { files: 2 }, concurrency: 4 });
    expect(code).toBe(0);
    const one = "a.txt,b.txt\n";
    const other = "d.txt,c.txt\n";
    expect(rows).toBe(`${one}${one}${other}${other}e.txt\n`);
  });

  test("gives files by size, and one larger than that alone", () => {
    const files = { "1": "x".repeat(10), "2": "x".repeat(10), "3": "x".repeat(100), "4": "x", "5": "x" };
    const { rows } = run({ files, script: listing, miniBatch: { bytes: 25 } });
    expect([...new Set(rows.trim().split("\n"))]).toEqual(["1,2", "3", "4,5"]);
  });

  test("gives the lines of one file by size, never a part of a line", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index} ${"é".repeat(index)}`);
    const script = "def run(mini_batch):\n    return [f'{len(mini_batch)} {line}' for line in mini_batch]\n";
    const { code, rows } = run({
      files: { "all.txt": lines.join("\n") },
      at: "all.txt",
      script,
      miniBatch: { bytes: 100 },
    });
    expect(code).toBe(0);
    const found = rows.trim().split("\n");
    expect(found.map((row) => row.replace(/^\d+ /, ""))).toEqual(lines);
    expect(new Set(found.map((row) => row.split(" ")[0])).size).toBeGreaterThan(1);
  });

  test("calls init once in each process, and hands the script its arguments without those of the harness", () => {
    const script = `
import os, sys
def init():
    global calls
    calls = globals().get("calls", 0) + 1
def run(mini_batch):
    return [f"{calls} {os.path.basename(sys.argv[0])} {sys.argv[1:]}"]
def shutdown():
    print("closed")
`;
    const programArguments = "--error_threshold 9 --word 'two words' --resource_monitor_interval 0";
    const { code, rows, log } = run({ files: names, script, programArguments, concurrency: 1 });
    expect(code).toBe(0);
    expect(rows.trim().split("\n")).toEqual(Array.from({ length: 5 }, () => "1 batch.py ['--word', 'two words']"));
    expect(log).toContain("closed");
  });

  test("tries a mini-batch again that raises, ends its process or takes too long", () => {
    const script = `
import os, time
def run(mini_batch):
    name = os.path.basename(mini_batch[0])
    mark = name + ".mark"
    if not os.path.exists(mark):
        open(mark, "w").close()
        if name == "a.txt": raise ValueError("not yet")
        if name == "b.txt": os._exit(9)
        if name == "c.txt": time.sleep(60)
    return [name]
`;
    const { code, rows, log } = run({ files: names, script, timeoutSeconds: 1.5, errorThreshold: 0 });
    expect(code).toBe(0);
    expect(rows.trim().split("\n").toSorted()).toEqual(["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]);
    expect(log).toContain("ValueError: not yet");
    expect(log).toContain("the process ended with code 9");
    expect(log).toContain("run() took longer than 1.5 seconds");
  });

  const failing = `
import os
def run(mini_batch):
    names = [os.path.basename(path) for path in mini_batch]
    if "b.txt" in names: raise ValueError("two")
    return names[:1]
`;

  test("counts the items of a failed mini-batch, and those that have no row", () => {
    const ignoring = run({ files: names, script: failing, miniBatch: { files: 2 } });
    expect(ignoring.code).toBe(0);
    expect(ignoring.rows).toBe("d.txt\ne.txt\n");
    expect(ignoring.log).toContain("3 mini-batches, 2 failed; 3 items failed");
    const within = run({ files: names, script: failing, miniBatch: { files: 2 }, errorThreshold: 3 });
    expect(within.code).toBe(0);
  });

  test.each([
    [{ errorThreshold: 2 }, "3 items failed, and 2 may"],
    [{ miniBatchErrorThreshold: 1 }, "2 mini-batches failed, and 1 may"],
    [{ programArguments: "--allowed_failed_percent 50" }, "2 of 3 mini-batches failed"],
  ])("fails beyond its threshold: %o", (settings, message) => {
    const { code, log } = run({
      files: names,
      script: failing,
      miniBatch: { files: 2 },
      concurrency: 1,
      maxRetries: 0,
      ...settings,
    });
    expect(code).toBe(1);
    expect(log).toContain(message);
  });

  test.each([
    ["def init():\n    raise OSError('no model')\ndef run(b):\n    return b\n", "OSError: no model"],
    ["import nothing_of_that_name\ndef run(b):\n    return b\n", "No module named"],
    ["def go(b):\n    return b\n", "has no function run(mini_batch)"],
  ])("fails at once when a process cannot begin: %#", (script, message) => {
    const { code, log } = run({ files: names, script, maxRetries: 5 });
    expect(code).toBe(1);
    expect(log).toContain("init() failed");
    expect(log).toContain(message);
  });

  test("over nothing completes with no rows", () => {
    const { code, rows, log } = run({ files: {}, script: listing });
    expect({ code, rows }).toEqual({ code: 0, rows: "" });
    expect(log).toContain("0 mini-batches");
  });
});
