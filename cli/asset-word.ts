// A registered thing as it is typed: `name`, `name:version`, `name@latest`, or the same with `azureml:` before it.
import { MlpipeError } from "#shared/errors.ts";

const pattern = /^(?:azureml:)?([^:@/\s]+)(?::([^:@/\s]+)|@latest)?$/;

export interface AssetWord {
  readonly name: string;
  /** Absent for the newest. */
  readonly version?: string;
}

/** @param version one that was given apart from the word @throws MlpipeError `InvalidRequest` */
export function readAssetWord(word: string, version?: string): AssetWord {
  const [, name, own] = pattern.exec(word) ?? [];
  if (name === undefined)
    throw new MlpipeError(
      "InvalidRequest",
      `\`${word}\` is no name: write <name>, <name>:<version> or <name>@latest, or the path of a file`,
    );
  if (own !== undefined && version !== undefined && own !== version)
    throw new MlpipeError("InvalidRequest", `two versions are asked for: ${own} and ${version}`);
  const wanted = own ?? version;
  return { name, ...(wanted === undefined ? {} : { version: wanted }) };
}
