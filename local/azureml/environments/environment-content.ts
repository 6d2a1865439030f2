// What a registered environment is to this machine: a conda file at most; a Dockerfile is never built.
import { userError } from "../service-error.ts";
import type { Catalog } from "./catalog.ts";

export interface EnvironmentContent {
  readonly image?: string;
  readonly condaFile?: string;
}

/** @throws ServiceError `UserError` for one that is built from a Dockerfile */
export function readEnvironmentContent(
  { image, condaFile: written, build }: Readonly<Record<string, unknown>>,
  catalog: Catalog,
): EnvironmentContent {
  if (build !== undefined)
    throw userError(
      "the environment is built from a Dockerfile, which this machine does not do: name an `image` and a `conda_file` with the pip packages that the command needs",
    );
  const condaFile = typeof image === "string" ? (written ?? catalog.ofImage(image)) : written;
  return {
    ...(typeof image === "string" ? { image } : {}),
    ...(typeof condaFile === "string" ? { condaFile } : {}),
  };
}
