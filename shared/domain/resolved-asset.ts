// What a name without a fixed meaning stood for when a run was started: a run says it for good, whatever the name means later.
import { z } from "zod";

export const ResolvedAsset = z.object({
  kind: z.enum(["pipeline", "component", "data", "model", "environment"]),
  /** As it was written: `azureml:prep@latest`. */
  reference: z.string(),
  name: z.string(),
  version: z.string(),
  /** Where data or a model lies. */
  uri: z.string().optional(),
});
export type ResolvedAsset = z.infer<typeof ResolvedAsset>;
