// Points of a Sobol sequence: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", 2008;
// the direction numbers are the first of their table.

/** Per dimension from the second on: degree, coefficients of the primitive polynomial, first direction numbers. */
const table: readonly (readonly [degree: number, coefficients: number, first: readonly number[]])[] = [
  [1, 0, [1]],
  [2, 1, [1, 3]],
  [3, 1, [1, 3, 1]],
  [3, 2, [1, 1, 1]],
  [4, 1, [1, 1, 3, 3]],
  [4, 4, [1, 3, 5, 13]],
  [5, 2, [1, 1, 5, 5, 17]],
  [5, 4, [1, 1, 5, 5, 5]],
  [5, 7, [1, 1, 7, 11, 19]],
];
const bits = 32;

/**
 * Point `index` (from 1) of `dimensions` numbers of [0, 1).
 *
 * @param random gives the dimensions beyond the tenth
 */
export function sobolPoint(index: number, dimensions: number, random: () => number): number[] {
  return Array.from({ length: dimensions }, (_, dimension) =>
    dimension > table.length ? random() : coordinate(index, directions(dimension)),
  );
}

function coordinate(index: number, direction: readonly number[]): number {
  let value = 0;
  for (let bit = 0; bit < bits && index >>> bit > 0; bit += 1) {
    if (((index >>> bit) & 1) === 1) value ^= direction[bit] ?? 0;
  }
  return (value >>> 0) / 2 ** bits;
}

function directions(dimension: number): number[] {
  const entry = table[dimension - 1];
  if (entry === undefined) return Array.from({ length: bits }, (_, bit) => (2 ** (bits - 1 - bit)) | 0);
  const [degree, coefficients, first] = entry;
  const result = first.map((number, bit) => (number << (bits - 1 - bit)) | 0);
  for (let bit = degree; bit < bits; bit += 1) {
    const back = result[bit - degree] ?? 0;
    let value = back ^ (back >>> degree);
    for (let term = 1; term < degree; term += 1) {
      if (((coefficients >> (degree - 1 - term)) & 1) === 1) value ^= result[bit - term] ?? 0;
    }
    result.push(value | 0);
  }
  return result;
}
