const atOnce = 32;

/**
 * Does the same for many, a bounded number at a time: a thousand requests at once would take every socket and keep whoever else
 * asks waiting behind them.
 *
 * @returns the results in the order of `items`
 */
export async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += atOnce)
    results.push(...(await Promise.all(items.slice(start, start + atOnce).map(work))));
  return results;
}
