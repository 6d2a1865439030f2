// YAML in, YAML out.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readYaml } from "#shared/domain/read-yaml.ts";
import { type YamlPath, openYaml } from "#shared/domain/yaml-text.ts";

const root = join(import.meta.dirname, "../../..");
const read = (text: string) => {
  const { value, issues } = readYaml(text, undefined);
  expect(issues).toEqual([]);
  return value;
};

describe("a text that is not changed is printed as it was written", () => {
  const files = execFileSync("git", ["ls-files", "*.yml", "*.yaml"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n");

  test.each(files)("%s", (file) => {
    const text = readFileSync(join(root, file), "utf8");
    expect(openYaml(text).print()).toBe(text);
  });

  test.each([
    ["with a byte order mark and Windows' line ends", "\uFEFFa: 1\r\nb:   2  # c\r\n\r\n\r\n# end\r\n"],
    ["with directives and marks", "%YAML 1.1\n--- # start\na: &x [1,  2,\n 3 ] \nb: *x\n...\n"],
    ["with every quoting", "a: 'it''s'\nb: \"\\u00e9\\\n  x\"\nc: >-\n  folded\n  text\n\n\nd: |+\n  kept\n\n# end"],
    ["without a last line break", "a: 1"],
    ["with blanks at line ends and tabs before comments", "a:  1   \nb:\t2\t# c\n  \nc: 3\n"],
    ["with explicit keys and keys that nobody knows", "? a\n: 1\nzzz: {deep: [x, {y: z}]}\n"],
  ])("%s", (_, text) => expect(openYaml(text).print()).toBe(text));
});

describe("what is changed leaves the rest alone:", () => {
  const change = (text: string, path: YamlPath, value: string) => {
    const yaml = openYaml(text);
    yaml.setText(path, value);
    return yaml.print();
  };

  test("a text keeps its quotes and what follows it", () => {
    expect(change("a: 'x'   # why\nb: 2\n", ["a"], "y")).toBe("a: 'y'   # why\nb: 2\n");
    expect(change('a: "x" # why\n', ["a"], "y")).toBe('a: "y" # why\n');
    expect(change("a: x # why\n", ["a"], "./y")).toBe("a: ./y # why\n");
  });

  test("a text that cannot stand plain is quoted", () => {
    for (const text of ["y: z", "# y", "", " y", "*y", "- y", "y #z"])
      expect(read(change("a: x # why\nb: 1\n", ["a"], text))).toEqual({ a: text, b: 1 });
  });

  test("an item of a list, and a text in a flow", () => {
    expect(change("a:\n  - x # one\n  - y\n", ["a", 1], "z")).toBe("a:\n  - x # one\n  - z\n");
    expect(change("a: {b: x, c: [y,  z]} # why\n", ["a", "c", 1], "w")).toBe("a: {b: x, c: [y,  w]} # why\n");
    expect(read(change("a: {b: x}\n", ["a", "b"], "y, z}"))).toEqual({ a: { b: "y, z}" } });
  });

  test("what an alias names is changed where it stands, and so is what is merged", () => {
    expect(change("a: &x {b: 1}\nc: *x\n", ["c", "b"], "z")).toBe("a: &x {b: z}\nc: *x\n");
    expect(change("a: &x {b: 1}\nc:\n  <<: *x\n  d: 3\n", ["c", "b"], "z")).toBe(
      "a: &x {b: z}\nc:\n  <<: *x\n  d: 3\n",
    );
    expect(change("a: &x ./b\nc: *x\n", ["c"], "./d")).toBe("a: &x ./d\nc: *x\n");
  });

  test("any text, anywhere in any document", () => {
    const comment = fc.constantFrom("", " # why", "   # why: {not}");
    const scalar = fc.constantFrom("x", "'x'", '"x"', "./x.yml", ">-\n      x\n      y");
    const entries = fc.array(fc.tuple(scalar, comment, fc.constantFrom("", "\n", "\n  # above\n")), { minLength: 1 });
    const value = fc.oneof(
      fc.string().filter((text) => !text.includes("\0")),
      fc.constantFrom("yes", "a\nb", "a: b", "#", ""),
    );
    fc.assert(
      fc.property(entries, fc.nat(), value, (lines, chosen, changed) => {
        const key = chosen % lines.length;
        const texts = lines.map(([text, after, above], index) => {
          const isBlock = text.startsWith(">");
          return `${above}  k${index}: ${isBlock ? text : `${text}${after}`}\n`;
        });
        const before = `# head\njobs:\n${texts.join("")}# end\n`;
        const after = change(before, ["jobs", `k${key}`], changed);
        const expected = read(before) as { jobs: Record<string, unknown> };
        const found = read(after) as { jobs: Record<string, unknown> };
        for (const name of Object.keys(expected.jobs)) {
          expect(found.jobs[name]).toBe(name === `k${key}` ? changed : expected.jobs[name]);
        }
        const untouched = (text: string) => text.split("\n").filter((line) => line.trim().startsWith("#"));
        expect(untouched(after)).toEqual(expect.arrayContaining(untouched(before)));
      }),
      { numRuns: 300 },
    );
  });
});

describe("a document in place of its file's name", () => {
  const component = "# what it is\nname: a   # n\ncommand: >-\n  run\n  --x\n\n\ncode: ./src\n";
  const put = (text: string, path: YamlPath, yaml: string) => {
    const opened = openYaml(text);
    opened.setMapping(path, yaml);
    return opened.print();
  };

  test("keeps its comments, its line breaks and those around it", () => {
    expect(
      put(
        "jobs:\n  a:\n    component: ./x.yml   # from a file\n    inputs: {}\n# end\n",
        ["jobs", "a", "component"],
        component,
      ),
    ).toBe(
      "jobs:\n  a:\n    component:   # from a file\n      # what it is\n      name: a   # n\n      command: >-\n        run\n        --x\n\n\n      code: ./src\n    inputs: {}\n# end\n",
    );
  });

  test("can be the last word of a text", () => {
    expect(read(put("a:\n  component: ./x.yml", ["a", "component"], component))).toEqual({
      a: { component: read(component) },
    });
  });

  test("loses the marks of a document of its own", () => {
    const marked = "\uFEFF%YAML 1.1\n---\nname: a\n...\n";
    expect(put("component: x\n", ["component"], marked)).toBe("component:\n  name: a\n");
  });

  test("stands as a flow where no block can", () => {
    expect(put("a: {component: ./x.yml, b: 1} # why\n", ["a", "component"], component)).toBe(
      'a: {component: {"name":"a","command":"run --x\\n","code":"./src"}, b: 1} # why\n'.replace(String.raw`\n`, ""),
    );
  });

  test("does not give its anchors to what stands around it", () => {
    const text = put("x: &v 1\ncomponent: ./x.yml\ny: *v\n", ["component"], "a: &v 2\nb: *v\n");
    expect(read(text)).toEqual({ x: 1, component: { a: 2, b: 2 }, y: 1 });
  });
});
