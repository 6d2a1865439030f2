// What names of registered things stood for.
import type { ResolvedAsset } from "#shared/domain/resolved-asset.ts";
import { renderTable } from "./print-table.ts";

/** A table below an empty line, or nothing when nothing is registered. */
export function describeAssets(assets: readonly ResolvedAsset[], width: number | undefined): string[] {
  if (assets.length === 0) return [];
  const rows = assets.map(({ kind, reference, name, version, uri = "" }) => [
    reference,
    `${kind} ${name}`,
    version,
    uri,
  ]);
  return ["", renderTable(["REGISTERED", "IS", "VERSION", "PLACE"], rows, width)];
}
