// Who runs next. One run at a time per id; what arrives meanwhile waits for the next run, so that bursts are batched.

/**
 * @param limit Runs at once, over all ids.
 * @param run Must not reject.
 */
export function createReadyQueue(limit: number, run: (id: string) => Promise<void>) {
  const ready = new Set<string>();
  const again = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const restUntil = new Map<string, number>();
  let isPumpPlanned = false;
  let isStopped = false;

  function wake(id: string): void {
    if (running.has(id)) again.add(id);
    else ready.add(id);
    plan();
  }

  function plan(): void {
    if (isPumpPlanned || isStopped || ready.size === 0) return;
    isPumpPlanned = true;
    setImmediate(pump);
  }

  function pump(): void {
    isPumpPlanned = false;
    while (!isStopped && running.size < limit) {
      const id = next();
      if (id === undefined) return;
      ready.delete(id);
      running.set(id, take(id));
    }
  }

  /** An instance with a long history lets the others go first for a while, and finds more messages in its inbox then. */
  function next(): string | undefined {
    const now = performance.now();
    for (const id of ready) {
      if ((restUntil.get(id) ?? 0) <= now) return id;
    }
    return ready.values().next().value;
  }

  async function take(id: string): Promise<void> {
    const started = performance.now();
    await run(id);
    const ended = performance.now();
    running.delete(id);
    if (ended - started > 5) restUntil.set(id, ended + 3 * (ended - started));
    else restUntil.delete(id);
    if (restUntil.size > 1000) restUntil.clear();
    if (again.delete(id)) ready.add(id);
    plan();
  }

  return {
    wake,
    /** Starts nothing more; resolves when what runs has ended. */
    async stop(): Promise<void> {
      isStopped = true;
      await Promise.all(running.values());
    },
  };
}
