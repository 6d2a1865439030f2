import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { snapshotFiles, snapshotHash } from "#shared/domain/snapshot.ts";
import { createFileSource } from "#shared/files.ts";
import { inMemoryFiles } from "#test/fixtures/in-memory-files.ts";

const pathsOf = async (texts: Record<string, string>, path: string, additionalIncludes: string[] = []) =>
  (await snapshotFiles({ path, additionalIncludes }, inMemoryFiles(texts))).map((file) => file.path);

describe("the files of a snapshot", () => {
  test("are those that .amlignore lets through, and .gitignore only counts without it", async () => {
    const files = { "src/a.py": "", "src/test_a.py": "", "src/.gitignore": "a.py\n", "src/data/x.csv": "" };
    expect(await pathsOf(files, "src")).toEqual([".gitignore", "data/x.csv", "test_a.py"]);
    expect(await pathsOf({ ...files, "src/.amlignore": "test_*\ndata/\n" }, "src")).toEqual([".gitignore", "a.py"]);
  });

  test("never hold what every checkout has different", async () => {
    const files = { "src/a.py": "", "src/__pycache__/a.pyc": "", "src/.git/HEAD": "", "src/deep/.DS_Store": "" };
    expect(await pathsOf(files, "src")).toEqual(["a.py"]);
  });

  test("take additional files and folders under their own names", async () => {
    const files = { "src/a.py": "", "lib/b.py": "", "lib/sub/c.py": "", "one.txt": "" };
    expect(await snapshotFiles({ path: "src", additionalIncludes: ["lib", "one.txt"] }, inMemoryFiles(files))).toEqual([
      { path: "a.py", source: "src/a.py" },
      { path: "lib/b.py", source: "lib/b.py" },
      { path: "lib/sub/c.py", source: "lib/sub/c.py" },
      { path: "one.txt", source: "one.txt" },
    ]);
  });

  test("can be a single file", async () => {
    expect(await pathsOf({ "src/a.py": "" }, "src/a.py")).toEqual(["a.py"]);
  });

  test.each([
    [{ "src/.amlignore": "*" }, "src", [], /src holds no file that is not ignored/],
    [{}, "nowhere", [], /there is no file or folder nowhere/],
    [{ "src/lib/b.py": "", "lib/b.py": "" }, "src", ["lib"], /would both be `lib\/b.py`/],
  ])("are refused when nothing or two things would be there: %j", async (files, path, includes, message) => {
    await expect(pathsOf(files, path, includes)).rejects.toThrow(message);
  });
});

describe("the hash of a snapshot", () => {
  const file = (path: string, size = 1, sha256 = "ab") => ({ path, size, sha256 });

  test("is the same in any order and for nothing else", async () => {
    const hash = await snapshotHash([file("a"), file("b")]);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await snapshotHash([file("b"), file("a")])).toBe(hash);
    const others = [
      [file("a")],
      [file("a"), file("c")],
      [file("a"), file("b", 2)],
      [file("a"), file("b", 1, "cd")],
      [file("a\nb"), file("")],
    ];
    expect(new Set([hash, ...(await Promise.all(others.map(snapshotHash)))]).size).toBe(6);
  });
});

describe("files on a disk", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlpipe-files-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("are listed with their sizes, through links but not round in circles", async () => {
    await mkdir(join(folder, "a/b"), { recursive: true });
    await writeFile(join(folder, "a/b/c.txt"), "123");
    await symlink(join(folder, "a/b/c.txt"), join(folder, "a/link.txt"));
    await symlink(join(folder, "a"), join(folder, "a/b/round"));
    const source = createFileSource(folder);
    expect(await source.list("a")).toEqual([
      { path: "b/c.txt", size: 3 },
      { path: "link.txt", size: 3 },
    ]);
    expect(await Promise.all(["a", "a/link.txt", "none", join(folder, "a")].map((path) => source.kind(path)))).toEqual([
      "folder",
      "file",
      undefined,
      "folder",
    ]);
    expect(await source.list("none")).toBeUndefined();
  });

  test("are read as UTF-8, and refused when they are something else or too long", async () => {
    const source = createFileSource(folder);
    await writeFile(join(folder, "good.yml"), "é");
    await writeFile(join(folder, "latin.yml"), Buffer.from([0xe9, 0x0a]));
    await writeFile(join(folder, "long.yml"), Buffer.alloc(6_000_000, 0x20));
    expect(await source.readText("good.yml")).toBe("é");
    expect(await source.readText("none.yml")).toBeUndefined();
    expect(await source.readText(".")).toBeUndefined();
    await expect(source.readText("latin.yml")).rejects.toThrow("latin.yml is not UTF-8 text; save it as UTF-8");
    await expect(source.readText("long.yml")).rejects.toThrow("long.yml is longer than the 5 MB that are read");
  });
});
