// Against real bash: a probe prints its arguments, each ended by NUL, and what it saw is compared with the value.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { jobCommand } from "#shared/domain/job-command.ts";

const folder = mkdtempSync(join(tmpdir(), "mlpipe-probe-"));
afterAll(() => rmSync(folder, { recursive: true }));

const probe = `probe() { printf '%s\\0' "$#" "$@"; }\n`;

/** What each call of `probe` received. */
function run(command: string, values: Record<string, string>): string[][] {
  const inputs = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { kind: "literal", value } as const]),
  );
  const output = execFileSync("bash", ["-c", probe + jobCommand(command, inputs)], {
    encoding: "utf8",
    cwd: folder,
    timeout: 10_000,
  });
  const parts = output.split("\0").slice(0, -1);
  const calls: string[][] = [];
  while (parts.length > 0) calls.push(parts.splice(0, Number(parts.shift())));
  return calls;
}

const nasty = [
  "",
  " ",
  "two words",
  "it's",
  '"',
  "''\"\"",
  "$(touch injected)",
  "`touch injected`",
  "$HOME",
  "${HOME}",
  "; touch injected;",
  "&& touch injected",
  "| touch injected",
  "> injected",
  "\n",
  "a\nb\n\n",
  "EOF",
  "line\nEOF\ntouch injected\n",
  "-n",
  "--help",
  "\\",
  "a\\'b",
  "\\n",
  "*",
  "?",
  "[a-z]*",
  "~",
  "{a,b}",
  "!!",
  "#no comment",
  "${{inputs.other}}",
  "${{parent.inputs.x}}",
  "$[[--x]]",
  "]]",
  "$'\\n'",
  "é 😀 \u202E \u00A0",
  "\t",
  "\r\n",
  "\u0001\u007F",
  ")",
  "case x in x) touch injected;; esac",
];

const values = fc.oneof(
  fc.constantFrom(...nasty),
  fc.array(fc.constantFrom(...nasty), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
);

/** Each place, and the arguments that the probe sees there for a value. */
const places: readonly [string, (value: string) => string[]][] = [
  ["probe ${{inputs.x}}", (value) => [value]],
  ["probe --x ${{ inputs.x }} end", (value) => ["--x", value, "end"]],
  ["probe --x=${{inputs.x}}", (value) => [`--x=${value}`]],
  ["probe a${{inputs.x}}b${{inputs.x}}", (value) => [`a${value}b${value}`]],
  ['probe "${{inputs.x}}"', (value) => [value]],
  ["probe '${{inputs.x}}'", (value) => [value]],
  ["probe \"a '${{inputs.x}}' b\"", (value) => [`a '${value}' b`]],
  ["probe 'a \"${{inputs.x}}\" b'", (value) => [`a "${value}" b`]],
  ["probe $'tab\\t${{inputs.x}}\\'end'", (value) => [`tab\t${value}'end`]],
  ['probe $"${{inputs.x}}"', (value) => [value]],
  ["probe \\${{inputs.x}}", (value) => [value]],
  ['probe "\\${{inputs.x}}"', (value) => [`\\${value}`]],
  ["probe $${{inputs.x}}", (value) => [`$${value}`]],
  ['y=${{inputs.x}}; probe "$y"', (value) => [value]],
  ['export Y=${{inputs.x}} && probe "$Y"', (value) => [value]],
  ['list=(${{inputs.x}} end); probe "${list[@]}"', (value) => [value, "end"]],
  ['probe "$(printf "%s." ${{inputs.x}})"', (value) => [`${value}.`]],
  ['probe "`printf "%s." ${{inputs.x}}`"', (value) => [`${value}.`]],
  ['probe "`printf \'%s.\' \\"${{inputs.x}}\\"`"', (value) => [`${value}.`]],
  ['probe "$(printf "%s." "$(printf "%s." ${{inputs.x}})")"', (value) => [`${value}..`]],
  ['probe "$(case a in (b) ;; a) printf "%s." ${{inputs.x}};; esac)"', (value) => [`${value}.`]],
  ['probe "${unset:-${{inputs.x}}}"', (value) => [value]],
  ["probe ${unset:-${{inputs.x}}}", (value) => [value]],
  ['y=abc; probe "${y#${{inputs.x}}x}"', () => ["abc"]],
  ['probe "$(cat <<EOF\n${{inputs.x}}.\nEOF\n)"', (value) => [`${value}.`]],
  ["probe \"$(cat <<'EOF'\n$HOME \\ `${{inputs.x}}`.\nEOF\n)\"", (value) => [`$HOME \\ \`${value}\`.`]],
  ['probe "$(cat <<-\'END\'\n\t"${{inputs.x}}".\n\tEND\n)"', (value) => [`"${value}".`]],
  ['probe "$(cat <<< ${{inputs.x}}; echo .)"', (value) => [`${value}\n.`]],
  ["# it's ${{inputs.x}}\nprobe ${{inputs.x}} # don't", (value) => [value]],
  ["if [[ ${{inputs.x}} == ${{inputs.x}} && -z '' ]]; then probe ${{inputs.x}}; fi", (value) => [value]],
  ['for y in ${{inputs.x}} end; do probe "$y"; break; done', (value) => [value]],
  ["case ${{inputs.x}} in ${{inputs.x}}) probe same;; *) probe other;; esac", () => ["same"]],
  ['bash -c \'printf "1\\0%s\\0" "$1"\' _ ${{inputs.x}}', (value) => [value]],
  ['f() { probe "$@"; }\nf ${{inputs.x}}', (value) => [value]],
  ["{ probe ${{inputs.x}}; } 2>&1", (value) => [value]],
  ["(probe ${{inputs.x}})", (value) => [value]],
  ["probe \\\n  --x \\\n  ${{inputs.x}}", (value) => ["--x", value]],
  ["probe $[[--x ${{inputs.x}}]]", (value) => ["--x", value]],
];

describe("a literal is one argument that holds exactly its value", () => {
  test.each(places)("%s", (command, expected) => {
    for (const value of nasty) expect([value, run(command, { x: value })]).toEqual([value, [expected(value)]]);
    fc.assert(
      fc.property(values, (value) => {
        expect(run(command, { x: value })).toEqual([expected(value)]);
      }),
      { numRuns: 8 },
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("many at once, in any mix of places", () => {
    const simple = places.slice(0, 9);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(simple.length - 1), values), { minLength: 2, maxLength: 5 }), (picks) => {
        const command = picks
          .map(([place], index) => simple[place]?.[0].replaceAll(/inputs\.x/g, `inputs.x${index}`))
          .join("\n");
        const given = Object.fromEntries(picks.map(([, value], index) => [`x${index}`, value]));
        expect(run(command, given)).toEqual(picks.map(([place, value]) => simple[place]?.[1](value)));
      }),
      { numRuns: 60 },
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("what is submitted holds no expression of a value's own", () => {
    fc.assert(
      fc.property(values, (value) => {
        const command = jobCommand("probe ${{inputs.x}} ${{inputs.folder}} ${{outputs.o}}", {
          x: { kind: "literal", value },
          folder: { kind: "data" },
        });
        expect(command.match(/\$\{\{.*?\}\}|\$\[\[/gs)).toEqual(["${{inputs.folder}}", "${{outputs.o}}"]);
      }),
    );
  });
});

describe("what is left alone", () => {
  test("places of data, outputs, and a script without literals", () => {
    const script = "cp ${{inputs.folder}}/* '${{outputs.o}}' # it's fine";
    expect(jobCommand(script, { folder: { kind: "data" } })).toBe(script);
  });

  test("an optional part without its value goes, the rest stays", () => {
    const inputs = { a: { kind: "literal", value: "1" }, b: undefined } as const;
    expect(jobCommand("probe $[[--a ${{inputs.a}}]]$[[ --b ${{inputs.b}}]]", inputs)).toBe(
      "MLPIPE_INPUT_a='1'\nprobe --a \"${MLPIPE_INPUT_a}\"",
    );
  });

  test("two inputs whose variables would be called the same get two", () => {
    const literal = (value: string) => ({ kind: "literal", value }) as const;
    const command = jobCommand("probe ${{inputs.a.b}} ${{inputs.a_b}}", { "a.b": literal("1"), a_b: literal("2") });
    expect(execFileSync("bash", ["-c", probe + command], { encoding: "utf8" })).toBe("2\x001\x002\0");
  });
});

describe("a value is refused where it would be evaluated", () => {
  const refusal = (command: string, value: string) => () =>
    jobCommand(command, { x: { kind: "literal", value }, none: undefined });

  test.each([
    ["echo $(( ${{inputs.x}} + 1 ))", "a[$(touch injected)]", /shell arithmetic, so its value must be a number/],
    ["(( ${{inputs.x}} > 3 ))", "x", /shell arithmetic/],
    ["echo ${y:${{inputs.x}}}", "x", /shell arithmetic/],
    ["echo ${y[${{inputs.x}}]}", "$(id)", /shell arithmetic/],
    ["[[ ${{inputs.x}} -gt 3 ]]", "a[$(id)]", /a test that evaluates it/],
    ["let y=${{inputs.x}}", "a", /`let`/],
    ["eval ${{inputs.x}}", "rm -r .", /`eval`/],
    ["trap ${{inputs.x}} EXIT", "rm -r .", /`trap`/],
    ["bash -ec 'echo ${{inputs.x}}'", "$(id)", /an argument that bash evaluates/],
    ['env A=1 /bin/sh -c "echo ${{inputs.x}}"', "a b", /evaluates/],
    ["python -u -c 'print(\"${{inputs.x}}\")'", '")', /an argument that python evaluates/],
    ["perl -e 'print ${{inputs.x}}'", "system(1)", /an argument that perl evaluates/],
  ])("%s", (command, value, message) => {
    expect(refusal(command, value)).toThrow(message);
  });

  test("but a number or a plain word passes", () => {
    expect(run("probe $(( ${{inputs.x}} * 2 ))", { x: "21" })).toEqual([["42"]]);
    expect(run("for ((i = 0; i < ${{inputs.x}}; i++)); do probe $i; done", { x: "2" })).toEqual([["0"], ["1"]]);
    expect(run("if [[ ${{inputs.x}} -ge 3 ]]; then probe yes; fi", { x: "3" })).toEqual([["yes"]]);
    expect(run("bash -c 'printf \"1\\0%s\\0\" ${{inputs.x}}'", { x: "resnet-50" })).toEqual([["resnet-50"]]);
  });

  test("a program's own flag -c is no script", () => {
    expect(run("probe python main.py -c ${{inputs.x}}", { x: "a b" })).toEqual([["python", "main.py", "-c", "a b"]]);
  });

  test.each([
    ["echo ${{inputs.x}}", "a\0b", /input `x` holds a NUL character/],
    ["echo ${{inputs.x}}", "\uD800", /input `x` is not well-formed Unicode/],
    ["echo 'it ${{inputs.x}}", "a", /line 1 of the command opens a single quote that is never closed/],
    ['echo\necho "$(echo ${{inputs.x}}', "a", /line 2 of the command opens/],
    ["echo ${{inputs.none}}", "a", /input `none` has no value; put what needs it between/],
    ["echo $'\\${{inputs.x}}'", "a", /quoting is not understood/],
    ["cat <<'a b'\n${{inputs.x}}\na b\n", "a", /here-document that ends with `a b`/],
  ])("%j with %j", (command, value, message) => {
    expect(refusal(command, value)).toThrow(message);
  });
});
