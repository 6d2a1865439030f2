import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { printYaml } from "#shared/domain/print-yaml.ts";
import { readYaml } from "#shared/domain/read-yaml.ts";

const read = (text: string) => {
  const { value, issues } = readYaml(text, undefined);
  expect(issues).toEqual([]);
  return value;
};

const texts = fc.oneof(
  fc.constantFrom(
    ..."yes,No,ON,off,y,n,true,null,~,1e-3,1e3,1.5,.5,0o17,017,0x1F,0b1,1_000,12:30,12:30:45,2026-01-05,=,<<,-,?,: x,# x".split(
      ",",
    ),
    "2026-01-05 10:00:00",
    "",
    " ",
    "a\nb",
    "a\nb\n",
    "\n",
    "  a\n b",
    "a \n b",
    "a: b",
    "a #b",
    "${{parent.inputs.x}}",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a`",
    "{a",
    "[a",
    "'a",
    '"a',
    "---",
    "...",
    "\t",
    "\u0085",
    "\u2028",
    "é 😀",
    "a\r\nb",
    `python ${"x".repeat(200)} --y`,
  ),
  fc.string(),
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !/[\0\uFFFE]/.test(text)),
);
const keys = fc
  .oneof(fc.constantFrom("a", "jobs", "on", "1", "x y"), fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/))
  .filter((key) => key !== "__proto__");
const { document } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    texts,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(0.1, -2.5, 12.75),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("document"),
  ),
  document: fc.dictionary(keys, tie("value"), { maxKeys: 5 }),
}));

describe("printed YAML", () => {
  test("is read back as what it was, by Azure ML's rules", () => {
    fc.assert(
      fc.property(document, (value) => {
        expect(read(printYaml({ value }))).toEqual({ value });
      }),
      { numRuns: 500 },
    );
  });

  test("is read back as what it was, by YAML 1.2's rules", () => {
    fc.assert(
      fc.property(document, (value) => {
        expect(parse(printYaml({ value }))).toEqual({ value });
      }),
      { numRuns: 500 },
    );
  });

  test("has numbers that Python prints in another way as Python's text", () => {
    expect(printYaml({ a: 1e-7, b: 0.5, c: 3 })).toBe('a: "1e-07"\nb: 0.5\nc: 3\n');
  });

  test("keeps commands of several lines as they are, and long ones on theirs", () => {
    const long = `python ${"x ".repeat(100)}y`;
    expect(printYaml({ a: "one\ntwo\n", b: long })).toBe(`a: |\n  one\n  two\nb: ${long}\n`);
  });

  test("writes what stands in two places twice", () => {
    const shared = { x: 1 };
    expect(printYaml({ a: shared, b: shared }, "Two\nlines.")).toBe("# Two\n# lines.\n\na:\n  x: 1\nb:\n  x: 1\n");
  });
});
