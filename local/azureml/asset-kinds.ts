// The five kinds of versioned assets, by what sets them apart: their bodies, and what a version points at for good.
import { z } from "zod";

const texts = z.record(z.string(), z.string());
const shared = {
  description: z.string().optional(),
  tags: texts.default({}),
  properties: texts.default({}),
  isArchived: z.boolean().default(false),
};
const version = { ...shared, isAnonymous: z.boolean().default(false) };
const dataType = z.enum(["uri_file", "uri_folder", "mltable"]);

export interface AssetKind {
  /** Segment of the path and kind of the resource. */
  readonly kind: string;
  readonly title: string;
  readonly Container: z.ZodType<Record<string, unknown>>;
  readonly Version: z.ZodType<Record<string, unknown>>;
  /** Properties of a version that a second PUT may not change. */
  readonly immutable: readonly string[];
  /** What a container gets when its first version makes it. */
  readonly containerOf?: (version: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** What the service adds to a version. */
  readonly added?: Readonly<Record<string, unknown>>;
}

export const assetKinds: readonly AssetKind[] = [
  {
    kind: "codes",
    title: "Code",
    Container: z.looseObject(shared),
    Version: z.looseObject({
      ...version,
      codeUri: z.string().regex(/^(https?|azureml):\/\//, "must be an https or azureml URI"),
    }),
    immutable: ["codeUri"],
  },
  {
    kind: "environments",
    title: "Environment",
    Container: z.looseObject(shared),
    Version: z
      .looseObject({
        ...version,
        image: z.string().min(1).optional(),
        condaFile: z.string().min(1).optional(),
        build: z
          .looseObject({
            contextUri: z.string().min(1),
            dockerfilePath: z.string().default("Dockerfile"),
          })
          .optional(),
        osType: z.enum(["Linux", "Windows"]).default("Linux"),
      })
      .refine(
        (body) => (body.image === undefined) !== (body.build === undefined),
        "exactly one of image and build is needed",
      ),
    immutable: ["image", "condaFile", "build", "osType"],
    added: { environmentType: "UserCreated" },
  },
  {
    kind: "components",
    title: "Component",
    Container: z.looseObject(shared),
    Version: z.looseObject({ ...version, componentSpec: z.looseObject({}) }),
    immutable: ["componentSpec"],
  },
  {
    kind: "data",
    title: "Data asset",
    Container: z.looseObject({ ...shared, dataType }),
    Version: z.looseObject({ ...version, dataType, dataUri: z.string().min(1) }),
    immutable: ["dataType", "dataUri"],
    containerOf: ({ dataType: type }) => ({ dataType: type }),
  },
  {
    kind: "models",
    title: "Model",
    Container: z.looseObject(shared),
    Version: z.looseObject({
      ...version,
      modelUri: z.string().min(1),
      modelType: z.string().default("custom_model"),
    }),
    immutable: ["modelUri", "modelType"],
  },
];
