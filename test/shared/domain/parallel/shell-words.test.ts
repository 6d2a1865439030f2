import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { jobCommand } from "#shared/domain/job-command.ts";
import { toShellWords } from "#shared/domain/parallel/shell-words.ts";

/** What a program is given for program arguments with these literals. */
function argumentsOf(text: string, literals: Record<string, string | undefined> = {}): string[] {
  const inputs = Object.fromEntries(
    Object.entries(literals).map(([name, value]) => [
      name,
      value === undefined ? undefined : { kind: "literal" as const, value },
    ]),
  );
  const command = jobCommand(`for word in ${toShellWords(text)}; do printf '%s\\0' "$word"; done`, inputs);
  return spawnSync("bash", ["-c", command]).stdout.toString().split("\0").slice(0, -1);
}

describe("program arguments", () => {
  test.each([
    ["--a 1  --b=2", ["--a", "1", "--b=2"]],
    [`--name 'two words' "and more" it\\'s`, ["--name", "two words", "and more", "it's"]],
    [`"a \\"b\\" \\\\ \\n" '' ""`, [`a "b" \\ \\n`, "", ""]],
    ["*.csv $HOME $(id) `id` ; rm > x & | {a,b} ~ #", "*.csv $HOME $(id) `id` ; rm > x & | {a,b} ~ #".split(" ")],
    ["", []],
  ])("%s: reach the program without a shell having its say", (text, expected) => {
    expect(argumentsOf(text)).toEqual(expected);
  });

  test("hold a literal as the one argument it is, and drop an optional part without a value", () => {
    const value = `a 'b' "c" $(id) \${x} *`;
    expect(argumentsOf("--x ${{inputs.x}} --y=${{inputs.x}}! '${{inputs.x}}'", { x: value })).toEqual([
      "--x",
      value,
      `--y=${value}!`,
      value,
    ]);
    const optional = "--a $[[--x ${{inputs.x}}]] $[[--y ${{inputs.y}}]] --b";
    expect(argumentsOf(optional, { x: "1 2", y: undefined })).toEqual(["--a", "--x", "1 2", "--b"]);
  });

  test("with a quote that is not closed are none", () => {
    expect(toShellWords(`--a "b`)).toBeUndefined();
  });
});
