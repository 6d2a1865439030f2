// The body of a command job as 2022-10-01 and later define it. Objects are loose: what newer API versions added is kept.
import { z } from "zod";
import { userError } from "./service-error.ts";

const dataTypes = ["uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"] as const;
const texts = z.record(z.string(), z.string());

const LiteralInput = z.looseObject({ jobInputType: z.literal("literal"), value: z.string() });
const DataInput = z.looseObject({
  jobInputType: z.enum(dataTypes),
  uri: z.string().min(1),
  mode: z
    .enum(["ReadOnlyMount", "ReadWriteMount", "Download", "Direct", "EvalMount", "EvalDownload"])
    .default("ReadOnlyMount"),
});
const JobOutput = z.looseObject({
  jobOutputType: z.enum(dataTypes),
  uri: z.string().min(1).optional(),
  mode: z.enum(["ReadWriteMount", "Upload", "Direct"]).default("ReadWriteMount"),
});
const key = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "must be letters, digits and _, and not begin with a digit");

export const CommandProperties = z.looseObject({
  jobType: z.literal("Command"),
  command: z.string().min(1),
  environmentId: z.string().min(1),
  codeId: z.string().min(1).optional(),
  computeId: z.string().optional(),
  displayName: z.string().optional(),
  experimentName: z.string().min(1).max(256).default("Default"),
  description: z.string().optional(),
  tags: texts.default({}),
  properties: texts.default({}),
  isArchived: z.boolean().default(false),
  environmentVariables: texts.default({}),
  inputs: z.record(key, z.discriminatedUnion("jobInputType", [LiteralInput, DataInput])).default({}),
  outputs: z.record(key, JobOutput).default({}),
  resources: z
    .looseObject({
      instanceType: z.string().min(1).optional(),
      instanceCount: z.int().min(1).default(1),
      shmSize: z
        .string()
        .regex(/^\d+[bBkKmMgG]$/)
        .default("2g"),
    })
    .prefault({}),
  limits: z.looseObject({ jobLimitsType: z.literal("Command"), timeout: z.string().optional() }).optional(),
  distribution: z.looseObject({ distributionType: z.enum(["PyTorch", "TensorFlow", "Mpi"]) }).optional(),
  identity: z.looseObject({ identityType: z.enum(["AMLToken", "Managed", "UserIdentity"]) }).optional(),
  services: z.record(z.string(), z.looseObject({})).default({}),
});
export type CommandProperties = z.infer<typeof CommandProperties>;

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inside]) => inside !== null)
      .map(([name, inside]) => [name, withoutNulls(inside)]),
  );
}

/**
 * Reads `properties` of a PUT with a schema; null counts as absent, as the service counts it.
 * @throws ServiceError `UserError` that lists every field that is missing or wrong.
 */
export function parseProperties<T>(schema: z.ZodType<T>, properties: unknown): T {
  const parsed = schema.safeParse(withoutNulls(properties));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `properties.${issue.path.map(String).join(".")}: ${issue.message}`);
  throw userError(`Request is invalid and/or missing fields. ${issues.join("; ")}`, ["BadArgument", "InvalidRequest"]);
}
