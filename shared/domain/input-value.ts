import { z } from "zod";

/** A value for a pipeline's input: a literal, or a data reference by `path`. */
export const InputValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.object({ path: z.string(), type: z.string().optional(), mode: z.string().optional() }),
]);
export type InputValue = z.infer<typeof InputValue>;
