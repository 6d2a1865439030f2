/** The name in `names` that `name` is most likely a misspelling of, or undefined when none is near. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  // Any short name is close to any other; only its letter case can be mistaken.
  const limit = name.length < 3 ? 0 : Math.max(1, Math.floor(name.length / 3));
  const wanted = normalise(name);
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) > limit + 2) continue;
    const spelling = normalise(candidate);
    // Between two that are equally far, the one that only goes on longer.
    const preference = spelling.startsWith(wanted) ? 0.5 : 0;
    const distance = editDistance(wanted, spelling, bestDistance + 1) - preference;
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? sameWords(name, names);
}

/** `max_trials` for `max_total_trials`: every word of the one stands in the other, in order, whatever its ending. */
function sameWords(name: string, names: Iterable<string>): string | undefined {
  const words = name.toLowerCase().split(/[-_. ]/);
  if (words.length < 2) return undefined;
  return [...names].find((candidate) => {
    let at = 0;
    for (const word of candidate.toLowerCase().split(/[-_. ]/)) if (isSameWord(words[at] ?? "", word)) at += 1;
    return at === words.length;
  });
}

function isSameWord(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short.length >= 3 && long.startsWith(short);
}

// `learning-rate`, `learningRate` and `learning_rate` are one name to the person who types it.
function normalise(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/g, "");
}

/** Damerau-Levenshtein distance of adjacent swaps, inserts, deletes and replacements; may stop early at `limit`. */
function editDistance(left: string, right: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwap) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    if (Math.min(...current) >= limit) return limit;
    [beforeLast, last] = [last, current];
  }
  return last[right.length] ?? 0;
}
