import type { DatasetDocument } from "#shared/domain/dataset/documents.ts";
import type { KnownDataset } from "./datasets.ts";

export function toDatasetDocument({ name, source, declaration, issues }: KnownDataset): DatasetDocument {
  return { name, source, declaration: { ...declaration }, issues: issues.map((issue) => ({ ...issue })) };
}
