// What the API says of registered models, and what it takes as an answer about one.
import { z } from "zod";

/** It is shown on terminals. */
const oneLine = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^\P{Cc}*$/u, "must be one line without control characters");

export const ApproveRequest = z.strictObject({
  decision: z.enum(["approve", "reject"]),
  comment: oneLine(1_000).optional(),
  /** Who answers, in their own words. */
  by: oneLine(200).optional(),
});
export type ApproveRequest = z.infer<typeof ApproveRequest>;

export const ModelName = z.string().regex(/^[a-zA-Z0-9][\w.-]{0,254}$/, "letters, digits, `.`, `_` and `-`");

export const ModelVersionDocument = z.object({
  name: z.string(),
  version: z.string(),
  /** The stage it has, or `archived` when another has it now. */
  stage: z.string().optional(),
  /** Of several that carry the tag of a stage, whether this one has it. */
  isChampion: z.boolean(),
  type: z.string(),
  uri: z.string(),
  /** `node.metric` -> what it was measured as when it was registered. */
  metrics: z.record(z.string(), z.number()),
  runId: z.string().optional(),
  pipeline: z.string().optional(),
  jobName: z.string().optional(),
  approvedBy: z.string().optional(),
  createdTime: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  /** All that is known of where it comes from. */
  properties: z.record(z.string(), z.string()),
});
export type ModelVersionDocument = z.infer<typeof ModelVersionDocument>;

export const ModelDocument = z.object({
  name: z.string(),
  /** Newest first. */
  versions: z.array(ModelVersionDocument),
});
export type ModelDocument = z.infer<typeof ModelDocument>;

export const ModelList = z.object({
  /** In the order of their names. */
  models: z.array(
    z.object({
      name: z.string(),
      latestVersion: z.string().optional(),
      versions: z.number().int(),
      /** Stage -> the version that has it. */
      champions: z.record(z.string(), z.string()),
    }),
  ),
  nextLink: z.string().optional(),
});
export type ModelList = z.infer<typeof ModelList>;
