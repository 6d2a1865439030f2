import { describe, expect, test } from "vitest";
import { type Dataset, inputsFor } from "#shared/domain/dataset/dataset.ts";
import { parseDeclaration, readDeclarationText } from "#shared/domain/dataset/declaration.ts";

const good = `
path: datasets/images/{version}/
files: [train-*, test.csv]
quiet_period: 30
on_change: ignore
pipeline: fashion_mnist
inputs:
  images: \${{dataset.path}}
  one: { type: uri_file, path: "\${{ dataset.path }}test.csv" }
  epochs: 3
  label: "\${{dataset.name}} \${{dataset.version}}"
tags: { team: vision }
`;

function read(text: string, name = "images") {
  const { value, issues } = readDeclarationText(text, "datasets/images.yml");
  return value === undefined ? { dataset: undefined, issues } : parseDeclaration(value, name);
}

function valid(text: string): Dataset {
  const { dataset, issues } = read(text);
  if (dataset === undefined) throw new Error(JSON.stringify(issues));
  return dataset;
}

describe("the declaration of a dataset", () => {
  test("says where its versions lie, when they are whole and what starts then", () => {
    expect(valid(good)).toMatchObject({
      name: "images",
      path: "datasets/images/{version}/",
      files: ["train-*", "test.csv"],
      quietSeconds: 30,
      minimumFiles: 1,
      maximumWaitSeconds: 86_400,
      onTimeout: "fail",
      onChange: "ignore",
      allowsEmptyFiles: false,
      pipeline: "fashion_mnist",
      tags: { team: "vision" },
    });
  });

  test("gives a pipeline the version's folder by path, its name and literals", () => {
    expect(inputsFor(valid(good), "2026-01", "azureml://datastores/d/paths/datasets/images/2026-01/")).toEqual({
      images: { path: "azureml://datastores/d/paths/datasets/images/2026-01/" },
      one: { type: "uri_file", path: "azureml://datastores/d/paths/datasets/images/2026-01/test.csv" },
      epochs: 3,
      label: "images 2026-01",
    });
  });

  test("fills a version that looks like a macro in as it stands", () => {
    const inputs = inputsFor(valid(good), "${{dataset.path}}", "azureml://d/");
    expect(inputs["label"]).toBe("images ${{dataset.path}}");
  });

  test.each([
    ["quite_period: 30", "`quite_period` is not known here", 12],
    ["files: nothing", "expected a list", 3],
    ["path: datasets/images/", "`{version}` once", 2],
    ["on_timeout: stop", "expected one of `fail`, `start`", 12],
    ["ready: '*.done'", "name of one file", 12],
    ["files: [/a]", "no slash", 3],
    ["minimum_files: 0", "above 0", 12],
    ["maximum_wait: 30", "the pause is as long", 4],
    ["name: other", "`other` here and `images` by its place", 12],
    ["inputs: {images: x}", "no input is given the data", 7],
    ["inputs: {images: '${{dataset.paht}}'}", "there is no `${{dataset.paht}}`", 7],
    ["inputs: {images: [1]}", "expected a literal", 7],
    ["pipeline:", "needs `pipeline`", 2],
  ])("with `%s` is refused, and the issue says where", (line, message, at) => {
    const key = line.split(":", 1)[0] ?? "";
    const lines = good.split("\n");
    const index = lines.findIndex((one) => one.startsWith(`${key}:`));
    if (key === "inputs") lines.splice(index, 5, line);
    else if (index >= 0) lines[index] = line;
    else lines.splice(11, 0, line);
    const { dataset, issues } = read(lines.join("\n"));
    expect(dataset).toBeUndefined();
    expect(issues.map((issue) => issue.message).join("\n")).toContain(message);
    expect(issues.every(({ severity }) => severity === "error")).toBe(true);
    expect(issues.map((issue) => issue.line)).toContain(at);
  });

  test("without a rule for when it is whole is refused", () => {
    const { issues } = read("path: d/{version}/\npipeline: p\ninputs: {a: '${{dataset.path}}'}");
    expect(issues.map(({ message }) => message).join()).toContain("nothing says when a version is whole");
  });

  test("that is no mapping, or no YAML, is refused with its file", () => {
    expect(read("- a").issues[0]).toMatchObject({ file: "datasets/images.yml" });
    expect(read("a: [").issues[0]).toMatchObject({ file: "datasets/images.yml", line: 1 });
  });

  test("needs a name that fits into paths and ids", () => {
    expect(read(good, "_x").issues[0]?.message).toContain("is no name for a dataset");
  });
});
