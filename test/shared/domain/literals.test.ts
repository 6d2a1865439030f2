import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Literal, coerceLiteral } from "#shared/domain/literals.ts";
import { pythonFloat, pythonText } from "#shared/domain/python-text.ts";

const coerce = (literal: Literal, type: "string" | "number" | "integer" | "boolean", limits: object = {}) => {
  const coerced = coerceLiteral(literal, { type, ...limits });
  return coerced.value ?? (coerced as { problem: string }).problem;
};

describe("a literal takes the form of its declared type", () => {
  test.each([
    ["1e-3", "number", "0.001"],
    [1, "number", "1"],
    ["1.0", "number", "1.0"],
    [1e-7, "number", "1e-07"],
    [1e21, "number", "1e+21"],
    ["-inf", "number", "-inf"],
    ["10.0", "integer", "10"],
    ["1e3", "integer", "1000"],
    ["12345678901234567890", "integer", "12345678901234567890"],
    [true, "boolean", "True"],
    ["TRUE", "boolean", "True"],
    ["no", "boolean", "False"],
    [true, "string", "True"],
    [1.5, "string", "1.5"],
    ["  spaces stay  ", "string", "  spaces stay  "],
  ] as const)("%j as %s is %s", (literal, type, expected) => {
    expect(coerce(literal, type)).toBe(expected);
  });

  test.each([
    ["ten", "integer", "expected a whole number, got the text `ten`"],
    [true, "number", "expected a number, got `true`"],
    [1, "boolean", "expected true or false, got `1`"],
    ["maybe", "boolean", "expected true or false, got the text `maybe`"],
    ["", "integer", "expected a whole number, got an empty text"],
    ["0x10", "number", "expected a number, got the text `0x10`"],
  ] as const)("%j is no %s", (literal, type, expected) => {
    expect(coerce(literal, type)).toBe(expected);
  });

  test("a fraction for a whole number is cut, and that is said", () => {
    expect(coerceLiteral(3.7, { type: "integer" })).toEqual({
      value: "3",
      note: "3.7 is cut to 3, since a whole number is declared",
    });
  });

  test("limits and choices hold", () => {
    expect(coerce(0, "integer", { min: 1 })).toBe("0 is below the minimum 1");
    expect(coerce(2, "number", { max: 1 })).toBe("2 is above the maximum 1");
    expect(coerce("slwo", "string", { enum: ["fast", "slow"] })).toBe(
      "expected one of `fast`, `slow`, got the text `slwo`",
    );
    expect(coerce(true, "string", { enum: ["True", "False"] })).toBe("True");
  });
});

test("floats print as Python prints them", () => {
  const special = [
    0,
    -0,
    0.1,
    1 / 3,
    5e-324,
    1.7976931348623157e308,
    1e15,
    1e16,
    123456789012345680,
    1e-4,
    9.9e-5,
    100,
    1e22,
  ];
  const floats = [...special, ...fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 2000)];
  const bits = Buffer.from(Float64Array.from(floats).buffer).toString("hex");
  const script = "import array,sys;a=array.array('d',bytes.fromhex(sys.stdin.read()));print('\\n'.join(map(str,a)))";
  const printed = execFileSync("python3", ["-c", script], { input: bits, encoding: "utf8" }).trim().split("\n");
  expect(floats.map(pythonFloat)).toEqual(printed);
});

test("whole numbers and booleans print as Python prints them", () => {
  expect([42, -1, false, "x"].map(pythonText)).toEqual(["42", "-1", "False", "x"]);
});
