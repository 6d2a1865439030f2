import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCatalog } from "#local/azureml/environments/catalog.ts";
import { parseCondaFile } from "#local/azureml/environments/conda-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-catalog-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const packages = (condaFile: string | undefined) =>
  condaFile === undefined ? undefined : parseCondaFile(condaFile).requirements.map((line) => line.split(/[<>~=;]/)[0]);

describe("curated environments", () => {
  const catalog = createCatalog(undefined);

  test.each([
    ["sklearn-1.5", "scikit-learn"],
    ["AzureML-sklearn-1.5", "scikit-learn"],
    ["azureml-sklearn-1.0", "mlflow-skinny"],
    ["AzureML-sklearn-0.24-ubuntu18.04-py37-cpu", "pandas"],
    ["AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", "pandas"],
    ["AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu", "lightgbm"],
    ["AzureML-tensorflow-2.4-ubuntu18.04-py37-cuda11-gpu", "tensorflow-cpu"],
    ["AzureML-acpt-pytorch-1.13-py38-cuda11.7-gpu", "torch"],
    ["AzureML-pytorch-1.9-ubuntu18.04-py37-cuda11-gpu", "torch"],
  ])("%s brings %s, in every version", (name, expected) => {
    expect(packages(catalog.ofName(name, "1"))).toContain(expected);
    expect(catalog.ofName(name, "latest")).toBe(catalog.ofName(name, "34"));
  });

  test("AzureML-minimal is a Python with nothing else", () => {
    expect(parseCondaFile(catalog.ofName("AzureML-minimal", "1") ?? "")).toMatchObject({
      python: "3.10",
      requirements: [],
    });
  });

  test("of the time of pandas 1 keep what scripts of then call, where there are wheels for it", () => {
    const { requirements } = parseCondaFile(catalog.ofName("sklearn-1.0", "latest") ?? "");
    expect(requirements).toContain('pandas<2; python_version < "3.12"');
    expect(requirements).toContain('pandas<3; python_version >= "3.12"');
  });

  test.each(["my-env", "sklearnish", "AzureML-sklearn", "tensorflow-1.15", "constructor"])("%s is none", (name) => {
    expect(catalog.ofName(name, "1")).toBeUndefined();
  });

  test("one that nobody knows is told with its neighbours and what to write", () => {
    const told = catalog.advice("AzureML-sklearn-1.50");
    expect(told).toContain("sklearn-1.0, lightgbm-3.3");
    expect(told).toContain("did you mean sklearn-1.5?");
    expect(told).toContain("`conda_file`");
    expect(told).toContain("environments.yml: `AzureML-sklearn-1.50: [package, ...]`");
  });
});

describe("images", () => {
  const catalog = createCatalog(undefined);

  test.each([
    ["python:3.12", "3.12", undefined],
    ["docker.io/library/python:3.9-slim", "3.9", undefined],
    ["mcr.microsoft.com/azureml/curated/sklearn-1.5:25", "3.10", "scikit-learn"],
    ["tensorflow/tensorflow:2.16.1", "3.10", "tensorflow-cpu"],
    ["pytorch/pytorch", "3.10", "torch"],
  ])("%s stands for what it holds", (image, python, expected) => {
    const found = catalog.ofImage(image);
    expect(parseCondaFile(found ?? "").python).toBe(python);
    expect(packages(found)?.[0]).toBe(expected);
  });

  test.each([
    "python",
    "library/python:latest",
    "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04",
    "localhost:5000/x",
  ])("%s is a Python and no more", (image) => {
    expect(catalog.ofImage(image)).toBeUndefined();
  });
});

describe("the user's own file", () => {
  test("says what an environment or an image holds, for one version or all, and wins over what is known", async () => {
    const file = join(folder, "environments.yml");
    const catalog = createCatalog(file);
    expect(catalog.ofName("mine", "1")).toBeUndefined();
    await writeFile(
      file,
      `
mine: [pandas==2.2.3]
mine:2: {dependencies: [python=3.11, {pip: [polars]}]}
AzureML-sklearn-1.5: [scikit-learn==1.5.1]
registry.example.com/team/image: [pyarrow]
localhost:5000/image:v1: [duckdb]
`,
    );
    expect(packages(catalog.ofName("mine", "1"))).toEqual(["pandas"]);
    expect(parseCondaFile(catalog.ofName("Mine", "2") ?? "")).toMatchObject({
      python: "3.11",
      requirements: ["polars"],
    });
    expect(packages(catalog.ofName("AzureML-sklearn-1.5", "3"))).toEqual(["scikit-learn"]);
    expect(packages(catalog.ofImage("registry.example.com/team/image:20250101"))).toEqual(["pyarrow"]);
    expect(packages(catalog.ofImage("localhost:5000/image:v1"))).toEqual(["duckdb"]);

    await writeFile(file, "mine: [pandas==2.3.0]\n");
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect(catalog.ofName("mine", "1")).toContain("pandas==2.3.0");
  });

  test.each([
    ["mine: pandas", "`mine` holds neither a list of pip packages"],
    ["mine: [1]", "`mine` holds neither"],
    ["- mine", "expected `name: [pip packages]`"],
    ["mine: [", "cannot be read"],
  ])("that reads %j is refused by its name", async (text, expected) => {
    const file = join(folder, "broken.yml");
    await writeFile(file, text);
    const ask = () => createCatalog(file).ofName("mine", "1");
    expect(ask).toThrow(expected);
    expect(ask).toThrow(file);
  });
});
