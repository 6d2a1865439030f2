import { localPathOf } from "#shared/domain/asset-references.ts";
import { folderOf, joinPath } from "#shared/domain/posix-path.ts";

/**
 * `reference` as an absolute path when it is a path of this machine and `from`, the URL of the module that holds it, is
 * given; everything else as it is. A path without a module is relative to the pipeline's own file, as in YAML.
 */
export function fromModule(reference: string, from: string | undefined): string {
  const path = localPathOf(reference);
  if (path === undefined || from === undefined) return reference;
  return joinPath(folderOf(decodeURIComponent(new URL(from).pathname)), path);
}
