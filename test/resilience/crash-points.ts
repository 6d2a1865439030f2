// The outside of crash-points.child.ts: says at which point a part is to die, and reads what it has passed.
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export const parts = ["host", "workspace", "storage"] as const;
export type Part = (typeof parts)[number];

/** An order to a part: to die at the `at`-th point from now on; 0 for not at all. */
export interface Arm {
  /** Counting begins anew with each. */
  readonly nonce: string;
  readonly at: number;
  /** Its children die first. */
  readonly withChildren?: boolean;
  /** For its next life. */
  readonly next?: Arm;
}

export interface Point {
  readonly nonce: string;
  /** 1-based since the order came. */
  readonly count: number;
  /** `before commit durable.sqlite`, `killed after PUT /...`, `ready`. */
  readonly what: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly pid: number;
}

/** @param now milliseconds of `performance.now()` */
export function toEpochMs(now: number): number {
  return performance.timeOrigin + now;
}

export const crashPointsModule = (folder: string): URL => {
  const url = new URL("crash-points.child.ts", import.meta.url);
  url.searchParams.set("folder", folder);
  return url;
};

export function createCrashPoints(folder: string) {
  const armFile = (part: Part) => join(folder, `${part}.arm`);
  return {
    /** Forgets earlier orders; counting begins anew. @returns what marks the points from here on */
    async arm(part: Part, order: Omit<Arm, "nonce">): Promise<string> {
      const nonce = randomUUID();
      const draft = `${armFile(part)}.draft`;
      await writeFile(draft, JSON.stringify({ nonce, ...order }));
      await rename(draft, armFile(part));
      return nonce;
    },

    disarm: (part: Part) => rm(armFile(part), { force: true }),

    /** Everything the part passed since `sinceMs` (milliseconds since the epoch), in order. */
    async passed(part: Part, sinceMs: number): Promise<Point[]> {
      const text = await readFile(join(folder, `${part}.points`), "utf8").catch(() => "");
      // The last line may be half written, now or by a part that was killed meanwhile.
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      return whole
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Point]))
        .filter(({ at }) => at >= sinceMs);
    },

    /** Between two runs: nobody asks for older points again. */
    clear: async () => {
      for (const part of parts) await writeFile(join(folder, `${part}.points`), "");
    },
  };
}
