// Whether a version of a dataset is whole. Pure and without memory: it is decided from the files that lie there now, what the last
// arrival took of them, and the clock; so events may come doubled, late, in any order or not at all.
import type { Dataset } from "./dataset.ts";
import { isExactName, matchesGlob } from "./glob.ts";

export interface FoundFile {
  /** Relative to the version's folder. */
  readonly path: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since 1970; the store tells whole seconds. */
  readonly modified: number;
  /** A copy that is still under way. */
  readonly isPending?: boolean;
}

/** What the latest arrival of the version took. */
export interface LastArrival {
  readonly isStarted: boolean;
  /** Path -> ETag. */
  readonly manifest: ReadonlyMap<string, string>;
  readonly readyEtag?: string | undefined;
}

export type Verdict =
  /** Nothing is new. */
  | { readonly kind: "settled" }
  /** Something has changed that the rule leaves alone. */
  | { readonly kind: "ignored"; readonly changed: readonly FoundFile[] }
  /** `missing` says in words what it waits for; `until` (milliseconds) is when time alone would change the verdict. */
  | { readonly kind: "waiting"; readonly missing: readonly string[]; readonly until: number; readonly files: number }
  | {
      readonly kind: "whole";
      readonly files: readonly FoundFile[];
      readonly cause: "whole" | "timeout";
      readonly changed: readonly FoundFile[];
      readonly ready?: FoundFile;
      readonly missing: readonly string[];
    }
  /** It was to be whole by now. */
  | {
      readonly kind: "overdue";
      readonly files: readonly FoundFile[];
      readonly ready?: FoundFile;
      readonly missing: readonly string[];
    };

/** How long a version that has been run must be left alone before its changes start another run, unless the dataset says so. */
const changeQuietSeconds = 60;

/** Whether a file is part of the dataset's data, as far as its name tells. */
export function isDataFile(dataset: Dataset, path: string): boolean {
  if (path === dataset.ready) return false;
  return dataset.files.length === 0 || dataset.files.some((pattern) => matchesGlob(pattern, path));
}

/** Whether this upload may be the one that makes the version whole, so that somebody should look at once. */
export function isDecisive(dataset: Dataset, path: string): boolean {
  if (path === dataset.ready) return true;
  if (dataset.quietSeconds !== undefined) return false;
  return dataset.ready === undefined || dataset.files.some((pattern) => isExactName(pattern) && pattern === path);
}

/** The files that count now. */
export function dataFiles(dataset: Dataset, found: readonly FoundFile[]): FoundFile[] {
  return found.filter(
    ({ path, size, isPending }) =>
      isPending !== true && (size > 0 || dataset.allowsEmptyFiles) && isDataFile(dataset, path),
  );
}

/**
 * @param found every file below the version's folder
 * @param last undefined when nothing of this version has arrived before
 * @param now milliseconds since 1970
 */
export function judgeVersion(
  dataset: Dataset,
  found: readonly FoundFile[],
  last: LastArrival | undefined,
  now: number,
): Verdict {
  const files = dataFiles(dataset, found);
  const ready = dataset.ready === undefined ? undefined : found.find(({ path }) => path === dataset.ready);
  const changed = files.filter(({ path, etag }) => last?.manifest.get(path) !== etag);
  const isReadyNew = ready !== undefined && ready.etag !== last?.readyEtag;
  const isChange = last?.isStarted === true;
  // The marker alone is news only while the version has no run: written again over the same data, it says nothing new.
  const hasNews = changed.length > 0 || (isReadyNew && !isChange);
  if (!hasNews) return { kind: "settled" };
  if (isChange && dataset.onChange === "ignore") return { kind: "ignored", changed };

  const missing = dataset.files.filter((pattern) => !files.some(({ path }) => matchesGlob(pattern, path)));
  if (files.length < dataset.minimumFiles) missing.push(`${dataset.minimumFiles} files (there are ${files.length})`);
  if (dataset.ready !== undefined && (ready === undefined || (isChange && !isReadyNew))) {
    missing.push(isChange ? `${dataset.ready}, written anew` : dataset.ready);
  }
  const news = isReadyNew && ready !== undefined ? [...changed, ready] : changed;
  const quietSeconds = dataset.quietSeconds ?? (isChange && dataset.ready === undefined ? changeQuietSeconds : 0);
  const newest = [...files, ...news].reduce((time, { modified }) => Math.max(time, modified), 0);
  // Without a pause to keep, a store whose clock is ahead of ours must not hold the run up.
  const quietAt = quietSeconds === 0 ? 0 : newest + quietSeconds * 1000;
  const oldest = news.reduce((time, { modified }) => Math.min(time, modified), Infinity);
  const deadline = oldest + dataset.maximumWaitSeconds * 1000;
  const about = { files, ...(ready === undefined ? {} : { ready }) };
  const isComplete = missing.length === 0;
  if (isComplete && now >= quietAt) return { kind: "whole", cause: "whole", changed, missing, ...about };
  if (isComplete) missing.push(`a pause of ${quietSeconds} s without an upload`);
  if (now < deadline) {
    return {
      kind: "waiting",
      missing,
      until: isComplete ? Math.min(quietAt, deadline) : deadline,
      files: files.length,
    };
  }
  if (dataset.onTimeout === "start" && files.length > 0)
    return { kind: "whole", cause: "timeout", changed, missing, ...about };
  return { kind: "overdue", missing, ...about };
}

/** The upload that came last: the one that made it whole. */
export function lastOf(files: readonly FoundFile[]): FoundFile | undefined {
  return files.reduce<FoundFile | undefined>(
    (last, file) => (last === undefined || file.modified >= last.modified ? file : last),
    undefined,
  );
}
