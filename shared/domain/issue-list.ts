// Where the loader and the compiler put everything that is wrong, so that all of it is told at once.
import type { Issue } from "../errors.ts";
import { nearestName } from "./nearest-name.ts";
import { placeOf } from "./source-map.ts";

/** A field: its path in the document, and the mapping (with key) whose place in the text is shown. */
export interface Field {
  readonly path: string;
  readonly holder?: unknown;
  readonly key?: string | number;
}

export interface IssueExtra {
  /** A misspelt name and what it may have meant. */
  readonly nearest?: { readonly name: string; readonly among: Iterable<string> };
  /** What was meant, where that is known already. */
  readonly suggestion?: string;
  /** Point at the key instead of the value. */
  readonly atKey?: boolean;
}

/** More names than that are no help. */
const maxListed = 6;

export interface IssueList {
  readonly issues: readonly Issue[];
  readonly hasErrors: boolean;
  error(field: Field, message: string, extra?: IssueExtra): void;
  warn(field: Field, message: string, extra?: IssueExtra): void;
  add(issues: Iterable<Issue>): void;
}

export function createIssueList(): IssueList {
  const issues: Issue[] = [];
  const seen = new Set<string>();
  let hasErrors = false;

  function add(issue: Issue): void {
    if (issue.severity === "error") hasErrors = true;
    // A component that ten nodes share is wrong once.
    const identity = JSON.stringify([
      issue.file,
      issue.line,
      issue.column,
      issue.line === undefined ? issue.path : "",
      issue.message,
    ]);
    if (seen.has(identity)) return;
    seen.add(identity);
    issues.push(issue);
  }

  function report(severity: Issue["severity"], field: Field, message: string, extra: IssueExtra = {}): void {
    const among = [...(extra.nearest?.among ?? [])];
    const suggestion =
      extra.suggestion ?? (extra.nearest === undefined ? undefined : nearestName(extra.nearest.name, among));
    add({
      path: field.path,
      message: suggestion === undefined ? `${message}${others(message, among)}` : message,
      severity,
      ...(suggestion === undefined ? {} : { suggestion }),
      ...placeOf(field.holder, field.key, extra.atKey === true ? "key" : "value"),
    });
  }

  return {
    issues,
    get hasErrors() {
      return hasErrors;
    },
    error: (field, message, extra) => report("error", field, message, extra),
    warn: (field, message, extra) => report("warning", field, message, extra),
    add(list) {
      for (const issue of list) add(issue);
    },
  };
}

/** What there is instead of a name that nothing is near to, unless the message says so itself. */
function others(message: string, names: readonly string[]): string {
  const isTold = message.includes("can be") || message.includes("one of") || message.includes("no effect");
  if (isTold || names.length === 0 || names.length > maxListed) return "";
  return `; there is ${names.map((name) => `\`${name}\``).join(", ")}`;
}

/** The field `key` of `holder`, which itself stands at `path`. */
export function fieldOf(path: string, holder: unknown, key: string | number): Field {
  return { path: subPath(path, key), holder, key };
}

/** The path of `key` in what stands at `path`; the document itself stands at the empty path. */
export function subPath(path: string, key: string | number): string {
  return path === "" ? String(key) : `${path}.${key}`;
}
