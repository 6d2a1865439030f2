/**
 * One cycle of each group of names that lead back to themselves, as a list of names that ends where it began.
 *
 * @param edges name -> the names it leads to; those that are no key are left out
 */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  for (const start of edges.keys()) {
    if (finished.has(start)) continue;
    // A stack of our own: a chain of ten thousand nodes is deeper than the language's.
    const trail: { name: string; rest: Iterator<string> }[] = [];
    const onTrail = new Map<string, number>();
    const enter = (name: string) => {
      onTrail.set(name, trail.length);
      trail.push({ name, rest: (edges.get(name) ?? []).values() });
    };
    enter(start);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const { value: next, done } = top.rest.next();
      if (done === true) {
        finished.add(top.name);
        onTrail.delete(top.name);
        trail.pop();
      } else if (onTrail.has(next)) {
        cycles.push([...trail.slice(onTrail.get(next)).map(({ name }) => name), next]);
        // One drawing per knot is enough to untie it.
        for (const { name } of trail) finished.add(name);
        trail.length = 0;
      } else if (edges.has(next) && !finished.has(next)) enter(next);
    }
  }
  return cycles;
}

/** The names in an order in which each comes after those it leads to, otherwise as given. There must be no cycle. */
export function inDependencyOrder(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const waitingFor = new Map<string, number>();
  const waiters = new Map<string, string[]>();
  for (const [name, needs] of edges) {
    const known = [...new Set(needs)].filter((need) => edges.has(need));
    waitingFor.set(name, known.length);
    for (const need of known) {
      const others = waiters.get(need);
      if (others === undefined) waiters.set(need, [name]);
      else others.push(name);
    }
  }
  const order = [...edges.keys()].filter((name) => waitingFor.get(name) === 0);
  for (const name of order) {
    for (const waiter of waiters.get(name) ?? []) {
      const left = (waitingFor.get(waiter) ?? 0) - 1;
      waitingFor.set(waiter, left);
      if (left === 0) order.push(waiter);
    }
  }
  return order;
}
