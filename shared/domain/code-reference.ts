import { isRegistered, localPathOf, placeholderIn } from "./asset-references.ts";
import type { Field, IssueList } from "./issue-list.ts";
import { uploadFolder } from "./layout.ts";
import type { CodeReference } from "./plan.ts";

const hashPattern = new RegExp(`${uploadFolder("([0-9a-f]{64})")}?$`);

/** Where the code snapshot `code` lies; undefined after having told what is wrong. */
export function readCode(code: string, field: Field, list: IssueList): CodeReference | undefined {
  if (isRegistered(code)) return { kind: "asset", id: code };
  if (/^git\+|^git@|\.git(?:[#@].*)?$/.test(code)) {
    list.error(field, "code in a git repository is not fetched; clone it and name the folder");
    return undefined;
  }
  if (localPathOf(code) !== undefined) {
    list.error(field, `\`${code}\` is a local path; upload it and name the URI`);
    return undefined;
  }
  // Uploads carry their hash in their place. Any other place is known by its address alone.
  return { kind: "upload", uri: code, hash: hashPattern.exec(code)?.[1] ?? placeholderIn(code) ?? code };
}
