/** Runs the work when there is room; rejects with the signal's reason when it is aborted before that. */
export type Limiter = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** Lets at most `max` pieces of work run at once, the others in the order they came. */
export function createLimiter(max: number): Limiter {
  const waiting = new Set<() => void>();
  let running = 0;

  async function takeRoom(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (running < max) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.delete(enter);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      waiting.add(enter);
    });
  }

  return async (work, signal) => {
    await takeRoom(signal);
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next === undefined) running -= 1;
      else {
        waiting.delete(next);
        next();
      }
    }
  };
}
