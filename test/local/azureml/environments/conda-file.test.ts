import { describe, expect, test } from "vitest";
import { MlpipeError } from "#shared/errors.ts";
import { parseCondaFile } from "#local/azureml/environments/conda-file.ts";

function messagesOf(text: string): string[] {
  try {
    parseCondaFile(text);
  } catch (error) {
    if (error instanceof MlpipeError) return error.issues.map((issue) => issue.message);
    throw error;
  }
  return [];
}

describe("conda file", () => {
  test("python, conda packages and the pip section become requirements, options first", () => {
    const read = parseCondaFile(`
name: x
channels: [conda-forge]
dependencies:
  - python=3.10
  - numpy=1.26
  - conda-forge::pandas>=2, <3
  - pip
  - pip:
      - six==1.16.0
      - --extra-index-url https://index.example/simple
`);
    expect(read).toEqual({
      python: "3.10",
      wantsPip: true,
      requirements: ["--extra-index-url https://index.example/simple", "numpy==1.26.*", "pandas>=2,<3", "six==1.16.0"],
      fromConda: ["numpy", "pandas"],
    });
  });

  test.each([
    ["numpy", "numpy"],
    ["numpy=1.26.4", "numpy==1.26.4.*"],
    ["numpy=1.26.*", "numpy==1.26.*"],
    ["numpy=1.26.4=py310_0", "numpy==1.26.4.*"],
    ["numpy==1.26.4", "numpy==1.26.4"],
    ["numpy 1.26", "numpy==1.26.*"],
    ["numpy >= 1.2", "numpy>=1.2"],
    ["numpy>=1.2,<2", "numpy>=1.2,<2"],
    ["numpy!=1.3", "numpy!=1.3"],
    ["setuptools=69", "setuptools==69.*"],
  ])("%s is said to pip as %s", (conda, pip) => {
    expect(parseCondaFile(`dependencies: ["${conda}"]`).requirements).toEqual([pip]);
  });

  test("JSON text is read as well", () => {
    expect(parseCondaFile('{"dependencies":["python>=3.9",{"pip":["six"]}]}')).toMatchObject({
      python: "3.9",
      requirements: ["six"],
    });
  });

  test("every entry pip cannot install is named with what to write instead", () => {
    const messages = messagesOf(`
dependencies: [pytorch, cudatoolkit=11, "numpy=1.2|1.3", {pip: ["-r other.txt", "-e .", "./wheels/x.whl"]}, {conda: x}]
`);
    expect(messages).toEqual([
      "`pytorch` has another name in pip: list `torch` under `pip`",
      "`cudatoolkit` is no Python package: install it on this machine and leave it out of the file",
      "`numpy=1.2|1.3` cannot be said to pip: list `numpy` under `pip` with a version pip knows",
      "`-r other.txt` names a file that does not travel with the environment: list its packages here",
      expect.stringContaining("`-e .` is a local path"),
      expect.stringContaining("`./wheels/x.whl` is a local path"),
      "is neither a package nor a `pip:` list",
    ]);
  });

  test.each([
    ["dependencies: [", "not YAML"],
    ["", "empty"],
    ["dependencies: six", "not a list"],
  ])("%j is refused", (text, why) => {
    expect(() => parseCondaFile(text)).toThrow(why);
  });
});
