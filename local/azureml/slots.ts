/** A counted resource handed out in the order it was asked for. */
export interface Slots {
  readonly isFree: boolean;
  /** @returns True with a slot in hand; false when `signal` gave up waiting. */
  take(signal: AbortSignal): Promise<boolean>;
  give(): void;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    get isFree() {
      return free > 0;
    },
    take(signal) {
      if (signal.aborted) return Promise.resolve(false);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const grant = () => {
          signal.removeEventListener("abort", giveUp);
          resolve(true);
        };
        const giveUp = () => {
          waiting.splice(waiting.indexOf(grant), 1);
          resolve(false);
        };
        signal.addEventListener("abort", giveUp, { once: true });
        waiting.push(grant);
      });
    },
    give() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
