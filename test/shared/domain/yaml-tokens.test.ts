// Documents of the usual form are read from their tokens; all others go through the library's composer. Nobody can tell which
// way a document went: values, places and problems are the same.
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readYaml } from "#shared/domain/read-yaml.ts";
import { placeOf } from "#shared/domain/source-map.ts";
import { readTokens } from "#shared/domain/yaml-tokens.ts";

const root = join(import.meta.dirname, "../../..");
const paths = await Array.fromAsync(
  glob(["{pipelines,components,test/fixtures}/**/*.yml", "test/suite/pipelines/**/*.yml"], { cwd: root }),
);
const texts = await Promise.all(paths.map((path) => readFile(join(root, path), "utf8")));

/** Every value in `value` with the place of itself and of its key. */
function placesIn(value: unknown, path = ""): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return [
    [path, placeOf(value)],
    ...Object.entries(value).flatMap(([key, item]) => [
      [`${path}.${key}`, placeOf(value, key), placeOf(value, key, "key")],
      ...placesIn(item, `${path}.${key}`),
    ]),
  ];
}

function readBoth(text: string): { usual: boolean; quick: unknown; composed: unknown } {
  let isUsual = false;
  const [quick, composed] = [
    readYaml(text, "f", (tokens, origin) => {
      const found = readTokens(tokens, origin);
      isUsual = found !== undefined;
      return found;
    }),
    readYaml(text, "f", () => undefined),
  ].map((read) => ({ ...read, places: placesIn(read.value) }));
  return { usual: isUsual, quick, composed };
}

test("most of our files are of the usual form, and read alike", () => {
  const read = texts.map(readBoth);
  for (const { quick, composed } of read) expect(quick).toEqual(composed);
  expect(read.filter(({ usual }) => usual).length).toBeGreaterThan(read.length / 2);
});

test.each([
  "a:\nb: \n\nc:   # why\n",
  "a: {b, c: , d: {}, e: [], f: [1, 'it''s', \"\\u00e9\"],}\n",
  "- - a\n  - b\n-\n- c: d\n  e: f\n",
  "a:\n- b\n- c\n",
  "a: |\n  one\n\n  two\nb: >-\n  folded\n  text\n# end\n",
  "a: one\n  two\nb: 'three\n\n  four'\n",
  "---\na: 1\n",
  "\uFEFFa: 1\r\nb: '2'\r\n",
  "\"a b\": 1\n'<<': 2\n? c\n: 3\n",
  "a: &x 1\nb: *x\n<<: {c: 2}\n",
  "a: !!str 1\n__proto__: 2\n",
  "a: b#c # d\nb: 'x'#y\n",
  "a:\tb\n",
  "{a: 1, b: 2}\n",
  "plain",
  "a: b: c\n",
  "a: @x\nb: %y\n",
  "a: 1\n---\nb: 2\n",
  "a: 1\n...\n",
  "%YAML 1.1\n---\na: 1\n",
  "a: [b: c, {d}]\n",
  "a: {b:1}\n",
  'a: {"b":1}\n',
])("%j", (text) => {
  const { quick, composed } = readBoth(text);
  expect(quick).toEqual(composed);
});

test("whatever a slip of the finger makes of a file", () => {
  const marks = [
    ":",
    "-",
    "#",
    ",",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "?",
    "~",
    "<",
  ];
  const rest = ["\n", "\n", " ", " ", "\t", "\\", "=", ".", "0", "a", "é", "\n  ", ": ", "- ", " #", "---\n", "\r\n"];
  const bits = fc.constantFrom(...marks, ...rest);
  const slip = fc.record({ at: fc.nat(), cut: fc.nat(3), put: bits });
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(slip, { minLength: 1, maxLength: 3 }), (text, slips) => {
      let changed = text;
      for (const { at, cut, put } of slips) {
        const place = at % (changed.length + 1);
        changed = changed.slice(0, place) + put + changed.slice(place + cut);
      }
      const { quick, composed } = readBoth(changed);
      expect(quick).toEqual(composed);
    }),
    { numRuns: 300 },
  );
});
