// Versions of something registered, newest first.
import type { AssetVersionList } from "#shared/api.ts";
import { renderTable } from "./print-table.ts";

export function renderVersions({ name, versions }: AssetVersionList, width: number | undefined): string {
  const rows = versions.map(({ version, createdTime = "" }) => [
    version,
    createdTime.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    `azureml:${name}:${version}`,
  ]);
  return renderTable(["VERSION", "REGISTERED", "AS"], rows, width);
}
