// A job's name is taken for good: a second PUT may change its labels, never what it does.
import type { JobProperties } from "./job-store.ts";
import { ServiceError } from "./service-error.ts";

const mutableParts = ["description", "tags", "displayName", "properties", "isArchived"] as const;

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inside: unknown) =>
    typeof inside === "object" && inside !== null && !Array.isArray(inside)
      ? Object.fromEntries(Object.entries(inside).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : inside,
  );
}

/** Names, as the service spells them (`Command`, `Inputs`, ...), of the parts that differ and may not. */
function immutableDifferences(existing: JobProperties, sent: JobProperties): string[] {
  const names = new Set([...Object.keys(existing), ...Object.keys(sent)]);
  for (const name of mutableParts) names.delete(name);
  return [...names]
    .filter((name) => canonical(existing[name]) !== canonical(sent[name]))
    .map((name) => name.charAt(0).toUpperCase() + name.slice(1));
}

/** The refusal of a PUT on a taken name; `parts` are the differing ones. */
export function immutableError(parts: readonly string[]): ServiceError {
  const named = parts.map((part) => ` ${part}`).join(", ");
  return new ServiceError(
    `A job with this name already exists. If you are trying to create a new job, use a different name. If you are trying to update an existing job, the existing job's${named} cannot be changed. Only description, tags, displayName, properties, and isArchived can be updated.`,
    {
      status: 400,
      code: "UserError",
      inner: ["Immutable", "JobPropertyImmutable"],
      parameters: { property: named },
    },
  );
}

/**
 * The existing job with the changes of a second PUT.
 * @throws ServiceError `JobPropertyImmutable` when anything else differs.
 */
export function updateJob(existing: JobProperties, sent: JobProperties): JobProperties {
  const differences = immutableDifferences(existing, sent);
  if (differences.length > 0) throw immutableError(differences);
  return {
    ...existing,
    ...Object.fromEntries(mutableParts.map((name) => [name, sent[name]])),
  } as JobProperties;
}
