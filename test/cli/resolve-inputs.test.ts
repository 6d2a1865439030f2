import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveInputs } from "#cli/resolve-inputs.ts";
import type { Store } from "#cli/store-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-inputs-"));
  await mkdir(join(folder, "images/deep"), { recursive: true });
  await mkdir(join(folder, "empty"));
  await writeFile(join(folder, "images/deep/b"), "b");
  await writeFile(join(folder, "images/a"), "a");
});
afterEach(() => rm(folder, { recursive: true }));

const stored: string[][] = [];
const store: Store = async (_label, files) => {
  stored.push(files.map(({ path }) => path));
  return { uri: "azureml://store/1/", hash: "1" };
};
const document = {
  type: "pipeline",
  inputs: {
    images: { type: "uri_folder", path: "x" },
    table: { type: "uri_file" },
    epochs: 10,
    name: { type: "string" },
  },
} as const;

test("data of this machine is stored once and passed by URI, a file by its own", async () => {
  stored.length = 0;
  const given = { images: join(folder, "images"), table: join(folder, "images/a") };
  expect(await resolveInputs(given, document, store)).toEqual({
    images: { path: "azureml://store/1/" },
    table: { path: "azureml://store/1/a" },
  });
  expect(stored).toEqual([["a", "deep/b"], ["a"]]);
});

test("URIs and literals go as they were typed, also a literal that names a folder", async () => {
  const given = { images: "https://example.org/images/", epochs: "3", name: folder, unknown: "x" };
  expect(await resolveInputs(given, document, store)).toEqual({
    ...given,
    images: { path: "https://example.org/images/" },
  });
});

test("without a document a path that exists is data, any other text is not", async () => {
  const given = { images: join(folder, "images"), data: "azureml:mnist:1", epochs: "3", missing: "./not-there" };
  expect(await resolveInputs(given, undefined, store)).toEqual({
    images: { path: "azureml://store/1/" },
    data: { path: "azureml:mnist:1" },
    epochs: "3",
    missing: "./not-there",
  });
});

test.each([
  ["images", "nowhere", "no such file or folder"],
  ["images", "images/a", "a folder is expected"],
  ["table", "images", "a file is expected"],
  ["images", "empty", "is empty"],
])("the input %s=%s is refused: %s", async (name, path, message) => {
  const issue = { severity: "error", path: `inputs.${name}`, message: expect.stringContaining(message) as string };
  await expect(resolveInputs({ [name]: join(folder, path) }, document, store)).rejects.toMatchObject({
    code: "InvalidRequest",
    issues: [issue],
  });
});
