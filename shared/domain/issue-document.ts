// An issue as the API tells it; `Issue` of shared/errors.ts is the same inside.
import { z } from "zod";

export const IssueDocument = z.object({
  path: z.string(),
  message: z.string(),
  severity: z.enum(["error", "warning"]),
  suggestion: z.string().optional(),
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
});
