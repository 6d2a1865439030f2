// Ctrl-C, once and twice. npm and our own door forward the signal that the terminal has already sent to everyone, so
// one key press may arrive as several signals: those within a moment count as one.
const samePressMilliseconds = 400;

export interface Interrupts {
  /** The reader pressed Ctrl-C. */
  readonly first: Promise<void>;
  /** The reader insists, or the machine asks the process to end. */
  readonly second: Promise<void>;
  readonly count: () => number;
  release(): void;
}

/** Takes SIGINT, SIGTERM and SIGHUP over until `release`. */
export function listenForInterrupts(): Interrupts {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  let lastTime = 0;

  const end = () => {
    count = 2;
    first.resolve();
    second.resolve();
  };
  const press = () => {
    const now = performance.now();
    if (count > 0 && now - lastTime < samePressMilliseconds) return;
    lastTime = now;
    count += 1;
    (count === 1 ? first : second).resolve();
  };

  process.on("SIGINT", press).on("SIGTERM", end).on("SIGHUP", end);
  return {
    first: first.promise,
    second: second.promise,
    count: () => count,
    release: () => void process.off("SIGINT", press).off("SIGTERM", end).off("SIGHUP", end),
  };
}
