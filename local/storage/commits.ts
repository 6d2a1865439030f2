// The last writes of the account with the moment each was committed, for benches and tests.

interface Commit {
  readonly container: string;
  readonly blob: string;
  /** Milliseconds of the epoch, with fractions (`performance.timeOrigin + performance.now()`), when the blob service had answered. */
  readonly committedAtMs: number;
}

export interface Commits {
  add(container: string, blob: string): void;
  /** In order, oldest first. */
  recent(): readonly Commit[];
}

const kept = 10_000;

export function createCommits(): Commits {
  let commits: Commit[] = [];
  return {
    add(container, blob) {
      commits.push({ container, blob, committedAtMs: performance.timeOrigin + performance.now() });
      if (commits.length >= 2 * kept) commits = commits.slice(-kept);
    },
    recent: () => commits.slice(-kept),
  };
}
