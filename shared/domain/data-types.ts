// Azure ML's data types and delivery modes, in the YAML spelling and the REST spelling.
import { z } from "zod";

export const DataType = z.enum(["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"]);
export type DataType = z.infer<typeof DataType>;

export const LiteralType = z.enum(["string", "number", "integer", "boolean"]);
export type LiteralType = z.infer<typeof LiteralType>;

const dataTypes: ReadonlySet<unknown> = new Set(DataType.options);
const literalTypes: ReadonlySet<unknown> = new Set(LiteralType.options);

// Asked of every port of every node, where a schema's own answer is fifty times slower.
export function isDataType(name: unknown): name is DataType {
  return dataTypes.has(name);
}

export function isLiteralType(name: unknown): name is LiteralType {
  return literalTypes.has(name);
}

/** YAML mode -> REST mode of an input. */
export const inputModes = {
  ro_mount: "ReadOnlyMount",
  rw_mount: "ReadWriteMount",
  download: "Download",
  direct: "Direct",
  eval_mount: "EvalMount",
  eval_download: "EvalDownload",
} as const;
export const InputMode = z.enum(["ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download"]);
export type InputMode = z.infer<typeof InputMode>;

/** YAML mode -> REST mode of an output. */
export const outputModes = {
  rw_mount: "ReadWriteMount",
  upload: "Upload",
  direct: "Direct",
} as const;
export const OutputMode = z.enum(["rw_mount", "upload", "direct"]);
export type OutputMode = z.infer<typeof OutputMode>;
