// What an argument of a program, or a variable of its environment, can hold.

/** Linux takes 131,071 bytes; some room is left for what the author has written around a value. */
const longestBytes = 130_000;

/** Why `value` cannot reach a program as one argument, as the end of a sentence; undefined when it can. */
export function whyNoArgument(value: string): string | undefined {
  if (value.includes("\0")) return "holds a NUL character, which no argument can";
  if (!value.isWellFormed()) return "is not well-formed Unicode text: half of a surrogate pair is missing";
  // No character takes more than three bytes for each of its units.
  if (value.length * 3 > longestBytes && new TextEncoder().encode(value).byteLength > longestBytes)
    return `is longer than the ${longestBytes} bytes that an argument may have; hand it over as a file`;
  return undefined;
}
