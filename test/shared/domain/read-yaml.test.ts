import { describe, expect, test } from "vitest";
import { readYaml } from "#shared/domain/read-yaml.ts";
import { placeOf } from "#shared/domain/source-map.ts";

const read = (text: string) => readYaml(text, "a.yml");
const refusal = (text: string) =>
  read(text).issues.map(({ line, column, message }) => `${line ?? "-"}:${column ?? "-"} ${message}`);

describe("values", () => {
  test("plain scalars are read as YAML 1.1, quoted ones are text", () => {
    const text =
      "a: yes\nb: 1e-3\nc: 010\nd: 'no'\ne: 1.0\nf: ~\ng:\nh: 0x1f\ni: .inf\nj: 12345678901234567890\nk: 1_000\nl: 12:30\nm: !!str 7\nn: !!int '7'";
    expect(read(text).value).toEqual({
      a: true,
      b: "1e-3",
      c: 8,
      d: "no",
      e: "1.0",
      f: null,
      g: null,
      h: 31,
      i: "inf",
      j: "12345678901234567890",
      k: 1000,
      l: "12:30",
      m: "7",
      n: 7,
    });
  });

  test("a number that Python prints in another way than JSON stays text in Python's way", () => {
    expect(read("[0.0, 1.50, 0.00001, 1.0e+16, 2]").value).toEqual(["0.0", 1.5, "1e-05", "1e+16", 2]);
  });

  test("keys are text, whatever they look like", () => {
    expect(read("on: 1\n2: 3\ntrue: 4").value).toEqual({ on: 1, "2": 3, true: 4 });
  });

  test("a merge key adds what the mapping does not say itself, the first of several winning", () => {
    expect(read("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0").value).toMatchObject({
      z: { a: 0, b: 1, c: 2 },
    });
  });

  test("a byte order mark is no part of the first key", () => {
    expect(read("\uFEFFa: 1").value).toEqual({ a: 1 });
  });
});

describe("places", () => {
  test("every entry knows its file, line and column, key and value apart", () => {
    const value = read("a:\n  b: 1\n  c:\n    - x\n    - y").value as { a: { c: string[] } };
    expect(placeOf(value.a, "b")).toEqual({ file: "a.yml", line: 2, column: 6 });
    expect(placeOf(value.a, "b", "key")).toEqual({ file: "a.yml", line: 2, column: 3 });
    expect(placeOf(value.a.c, 1)).toEqual({ file: "a.yml", line: 5, column: 7 });
  });
});

describe("what is refused, and where", () => {
  test.each([
    ["a key that repeats", "a: 1\nb: 2\na: 3", "3:1 the key `a` stands here a second time; the first is in line 1"],
    ["a tab as indentation", "a:\n\tb: 1", "2:1 is indented with a tab; YAML allows spaces only"],
    ["two documents", "a: 1\n---\nb: 2", "2:1 holds more than one YAML document; keep one"],
    ["nothing", "# only a comment\n", "-:- is empty; a mapping was expected"],
    ["an unknown anchor", "a: *nobody", "1:4 there is no anchor `&nobody` before this alias"],
    [
      "an anchor that holds itself",
      "a: &a\n  b: *a",
      "2:6 `*a` stands inside its own anchor: the value would hold itself",
    ],
    [
      "a tag that runs code",
      "a: !!python/object/apply:os.system ls",
      "1:36 the tag `!!python/object/apply:os.system` is not supported",
    ],
    ["a key that reaches into objects", "__proto__: {a: 1}", "1:1 `__proto__` is no allowed key"],
    ["UTF-16", "a\0:\0 \0x\0", "-:- is not UTF-8 text (it holds NUL characters, as UTF-16 does)"],
    ["an unclosed quote", "a: 'b", "1:4 the quote that begins here is not closed"],
    ["too much nesting", "[".repeat(5000), "1:200 is nested more than 100 deep"],
    ["too many tokens", `[${"1,".repeat(1_000_000)}]`, "-:- holds more than 400000 YAML tokens"],
    ["too much text", " ".repeat(6_000_000), "-:- the text is longer than 5 MB"],
    ["endless directives", "%A\n".repeat(100_000), "11:1 holds too many YAML directives"],
  ])("%s", (_, text, expected) => {
    expect(refusal(text)).toEqual([expected]);
  });

  test("aliases that expand to a billion values", () => {
    const lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 9; level++)
      lines.push(
        `l${level}: &l${level} [${Array<string>(10)
          .fill(`*l${level - 1}`)
          .join(", ")}]`,
      );
    expect(refusal(lines.join("\n"))[0]).toMatch(/its aliases expand to more than 500000 values/);
  });

  test("fifty thousand keys are read without comparing each with each", () => {
    const text = Array.from({ length: 50_000 }, (_, index) => `k${index}: v`).join("\n");
    expect(Object.keys(read(text).value as object)).toHaveLength(50_000);
  });
});
