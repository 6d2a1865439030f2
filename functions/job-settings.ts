// Settings of a job whose names and values the YAML schema spells otherwise than the service's REST API.
// https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command · https://learn.microsoft.com/rest/api/azureml/jobs/create-or-update
import type { PlanNode } from "#shared/domain/plan.ts";

type Settings = Readonly<Record<string, unknown>>;

const distributionTypes = { pytorch: "PyTorch", mpi: "Mpi", tensorflow: "TensorFlow", ray: "Ray" };
const identityTypes = {
  managed: "Managed",
  managed_identity: "Managed",
  user_identity: "UserIdentity",
  user: "UserIdentity",
  aml_token: "AMLToken",
};
const serviceTypes = {
  jupyter_lab: "JupyterLab",
  ssh: "SSH",
  tensor_board: "TensorBoard",
  vs_code: "VSCode",
  custom: "Custom",
};
const priorities = { low: 1, medium: 2, high: 3 };

/** `type: pytorch, process_count_per_instance: 2` -> `distributionType: PyTorch, processCountPerInstance: 2`. */
export function toDistribution({ type, ...rest }: Settings): Settings {
  return { distributionType: named(distributionTypes, type), ...inCamelCase(rest) };
}

export function toIdentity({ type, ...rest }: Settings): Settings {
  return { identityType: named(identityTypes, type), ...inCamelCase(rest) };
}

/** Each interactive service; what is peculiar to its type goes among its properties. */
export function toServices(services: Readonly<Record<string, unknown>>): Settings {
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, toService(service as Settings)]));
}

function toService({ type, port, nodes, properties, ...rest }: Settings): Settings {
  const own = { ...(properties as Settings | undefined), ...inCamelCase(rest) };
  return {
    jobServiceType: named(serviceTypes, type),
    ...(port === undefined ? {} : { port }),
    ...(nodes === "all" ? { nodes: { nodesValueType: "All" } } : {}),
    ...(Object.keys(own).length === 0 ? {} : { properties: own }),
  };
}

/** Undefined when nothing is asked for. @param isDedicated goes without the tier: its spot machines were taken away too often */
export function toQueueSettings({ queueSettings = {} }: PlanNode, isDedicated = false): Settings | undefined {
  const { job_tier: tier, priority } = queueSettings;
  const settings = {
    ...(typeof tier === "string" && !isDedicated ? { jobTier: capitalize(tier) } : {}),
    ...(priority === undefined ? {} : { priority: named(priorities, priority) }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** A word the table does not have goes to the service as it is, which says what it takes. */
function named(names: Settings, word: unknown): unknown {
  if (typeof word !== "string") return word;
  const key = word.toLowerCase();
  return Object.hasOwn(names, key) ? names[key] : word;
}

function inCamelCase(settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

const capitalize = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1).toLowerCase()}`;
