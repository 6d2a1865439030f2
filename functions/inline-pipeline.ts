// A pipeline that came with a request has no files beside it: what it names must be in the workspace already.
import type { LoadResult } from "#shared/domain/load-pipeline.ts";
import { MlpipeError } from "#shared/errors.ts";

type Loaded<D> = Pick<LoadResult, "issues"> & { readonly document: D | undefined };

/** @throws MlpipeError `InvalidRequest` with every issue, a local path being one */
export function withoutLocalFiles<D extends object>({ document, issues }: Loaded<D>): D {
  const errors = issues.filter(({ severity }) => severity === "error");
  if (document === undefined || errors.length > 0) {
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    const text =
      first === undefined
        ? "The pipeline cannot be read"
        : `${first.path === "" ? "" : `${first.path}: `}${first.message}${more}`;
    throw new MlpipeError("InvalidRequest", text, { issues });
  }
  return document;
}
