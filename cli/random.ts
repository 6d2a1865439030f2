// A seeded generator: the same seed draws the same pictures on every machine.

export interface Random {
  /** Uniform from `low` (included) to `high` (not included). */
  between: (low: number, high: number) => number;
  chance: (probability: number) => boolean;
  /** Mean 0, standard deviation 1. */
  normal: () => number;
}

/** Creates the generator of a seed (any integer); seeds that follow one another give unrelated sequences. (mulberry32) */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 13);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    between: (low, high) => low + (high - low) * next(),
    chance: (probability) => next() < probability,
    // Irwin-Hall with three terms: the tails end at 3, which a pixel cannot tell.
    normal: () => (next() + next() + next()) * 2 - 3,
  };
}
