// What the server has against a document, shown where it stands in the files of this machine.
import { type Issue, isMlpipeError, MlpipeError } from "#shared/errors.ts";
import { placeOf } from "#shared/domain/source-map.ts";

/** The issue with the file and line that its path leads to in `document`; as it is where it has one, or leads nowhere. */
export function placeIssue(issue: Issue, document: object): Issue {
  if (issue.line !== undefined) return issue;
  const keys = issue.path.split(".");
  let holder: unknown = document;
  for (const key of keys.slice(0, -1)) {
    if (typeof holder !== "object" || holder === null) return issue;
    holder = Reflect.get(holder, key);
  }
  const last = keys.at(-1);
  if (typeof holder !== "object" || holder === null || last === undefined || !Object.hasOwn(holder, last)) return issue;
  return { ...issue, ...placeOf(holder, last, "key") };
}

/** The same for every issue of an error; any other error as it is. */
export function placeIssues(error: unknown, document: object): unknown {
  if (!isMlpipeError(error) || error.issues.length === 0) return error;
  const issues = error.issues.map((issue) => placeIssue(issue, document));
  return new MlpipeError(error.code, error.message, { cause: error, issues });
}
