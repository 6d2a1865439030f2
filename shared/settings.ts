// The one place that reads the environment. Azure and the embedded stack differ by these values alone.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { z } from "zod";
import type { Concurrency } from "./domain/concurrency.ts";
import { type Prices, readPrices } from "./domain/cost/prices.ts";
import type { RetentionPolicy } from "./domain/retention.ts";
import { MlpipeError } from "./errors.ts";

const Environment = z.object({
  AZURE_SUBSCRIPTION_ID: z.string().min(1).optional(),
  AZURE_RESOURCE_GROUP: z.string().min(1).optional(),
  AZUREML_WORKSPACE_NAME: z.string().min(1).optional(),
  /** Base URL of Azure Resource Manager; sovereign clouds have their own. */
  AZURE_RESOURCE_MANAGER_ENDPOINT: z.url({ protocol: /^https$/ }).default("https://management.azure.com"),
  /** Token audience of that endpoint. */
  AZURE_RESOURCE_MANAGER_AUDIENCE: z.url().default("https://management.azure.com"),
  /** How the app proves who it is: the usual chain, one managed identity, or a token somebody else fetched. */
  MLPIPE_CREDENTIAL: z.enum(["default", "managed-identity", "access-token"]).default("default"),
  MLPIPE_CLIENT_ID: z.uuid().optional(),
  MLPIPE_ACCESS_TOKEN: z.string().min(1).optional(),
  /** Folders of the deployed pipelines and components; relative to the app's root. */
  MLPIPE_PIPELINES: z.string().min(1).default("pipelines"),
  /** Folder of the deployed schedules; relative to the app's root. */
  MLPIPE_SCHEDULES: z.string().min(1).default("schedules"),
  /** Folder of the deployed datasets; relative to the app's root. */
  MLPIPE_DATASETS: z.string().min(1).default("datasets"),
  /** Days that histories of what has ended are kept. */
  MLPIPE_HISTORY_DAYS: z.coerce.number().int().min(0).max(3650).default(90),
  /** Days that what makes a node reusable is kept after it was made or last reused. */
  MLPIPE_CACHE_DAYS: z.coerce.number().int().min(0).max(3650).default(180),
  /** Days that outputs of ended runs are kept; blank keeps them for good. */
  MLPIPE_OUTPUT_DAYS: z.coerce.number().int().min(0).max(3650).optional(),
  /** Days for which it is remembered what became of an upload. */
  MLPIPE_EVENT_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  /** Where webhooks may go although it is no public address: hosts, addresses and CIDR blocks, separated by commas. */
  MLPIPE_WEBHOOK_ALLOW: z.string().default(""),
  /** US dollars an hour by size or compute, over the shipped prices: JSON such as `{"Standard_D4s_v5": 0.17}`. */
  MLPIPE_PRICES: z
    .string()
    .optional()
    .transform((text, context) => {
      try {
        return readPrices(text);
      } catch (error) {
        context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
        return z.NEVER;
      }
    }),
  /** Runs on their way at once; the others wait their turn. */
  MLPIPE_MAX_RUNS: z.coerce.number().int().positive().optional(),
  /** Jobs in the workspace at once. */
  MLPIPE_MAX_JOBS: z.coerce.number().int().positive().optional(),
  /** The same by size: `Standard_NC4as_T4_v3=2,Standard_D4s_v5=8`. */
  MLPIPE_MAX_JOBS_PER_SIZE: z
    .string()
    .regex(
      /^\s*[\w-]+\s*=\s*[1-9]\d*\s*(,\s*[\w-]+\s*=\s*[1-9]\d*\s*)*$/,
      "is a list like Standard_NC4as_T4_v3=2,Standard_D4s_v5=8",
    )
    .optional(),
  /** Machines that one job may span whose processes wait for each other (pytorch, mpi, ray); any number when absent. */
  MLPIPE_MACHINES_PER_JOB: z.coerce.number().int().positive().optional(),
  /** Which jobs of a workspace are this app's to cancel when no run of it owns them; its host name when absent. */
  MLPIPE_DEPLOYMENT: z
    .string()
    .regex(/^[\w.-]{1,128}$/)
    .optional(),
  MLPIPE_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

/** Names of every setting, for the test that keeps `local.settings.example.json` in step. */
export const settingNames: readonly string[] = Object.keys(Environment.shape);

export interface WorkspaceName {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspaceName: string;
}

export type CredentialSettings =
  | { readonly kind: "default" }
  | { readonly kind: "managed-identity"; readonly clientId: string | undefined }
  | { readonly kind: "access-token"; readonly token: string };

export interface Settings {
  readonly workspace: WorkspaceName;
  readonly resourceManager: { readonly endpoint: string; readonly audience: string };
  readonly credential: CredentialSettings;
  /** Absolute path. */
  readonly pipelinesFolder: string;
  /** Absolute path. */
  readonly schedulesFolder: string;
  /** Absolute path. */
  readonly datasetsFolder: string;
  readonly eventDays: number;
  readonly retention: RetentionPolicy;
  readonly webhookAllow: readonly string[];
  /** Limits for all runs together. */
  readonly concurrency: Concurrency;
  readonly prices: Prices;
  /** Undefined where a job may have any number of them. */
  readonly machinesPerJob: number | undefined;
  /** Undefined where nothing tells this app from another on the same workspace. */
  readonly deployment: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

const ConfigFile = z.object({
  subscription_id: z.string().min(1),
  resource_group: z.string().min(1),
  workspace_name: z.string().min(1),
});

/** Azure ML's own `config.json`, looked for as its SDK does: in `folder` and every parent, also below `.azureml` and `aml_config`. */
function findWorkspaceConfig(folder: string): WorkspaceName | undefined {
  const places = ["config.json", ".azureml/config.json", "aml_config/config.json"];
  for (let current = folder; ; current = dirname(current)) {
    for (const place of places) {
      const path = join(current, place);
      if (!existsSync(path)) continue;
      const config = ConfigFile.safeParse(JSON.parse(readFileSync(path, "utf8")));
      if (!config.success) continue;
      const {
        subscription_id: subscriptionId,
        resource_group: resourceGroup,
        workspace_name: workspaceName,
      } = config.data;
      return { subscriptionId, resourceGroup, workspaceName };
    }
    if (current === parse(current).root) return undefined;
  }
}

/**
 * Parses the app's settings.
 *
 * @param environment variables to read, normally `process.env`
 * @param root the app's root folder, where `config.json` is looked for first
 * @throws MlpipeError `InvalidRequest` that lists every missing or wrong setting at once
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>, root: string): Settings {
  // An application setting that was left blank is one that was not made.
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== "");
  const result = Environment.safeParse(Object.fromEntries(given));
  if (!result.success) {
    const issues = result.error.issues.map((issue) => ({
      path: issue.path.join("."),
      message: issue.message,
      severity: "error" as const,
    }));
    throw new MlpipeError(
      "InvalidRequest",
      `Settings are wrong: ${issues.map((i) => `${i.path}: ${i.message}`).join("; ")}`,
      {
        issues,
      },
    );
  }
  const values = result.data;
  const missing: string[] = [];
  const { AZURE_SUBSCRIPTION_ID: subscriptionId, AZURE_RESOURCE_GROUP: resourceGroup } = values;
  const workspaceName = values.AZUREML_WORKSPACE_NAME;
  let workspace: WorkspaceName | undefined;
  if (subscriptionId !== undefined && resourceGroup !== undefined && workspaceName !== undefined) {
    workspace = { subscriptionId, resourceGroup, workspaceName };
  } else {
    workspace = findWorkspaceConfig(root);
    if (workspace === undefined) {
      if (subscriptionId === undefined) missing.push("AZURE_SUBSCRIPTION_ID");
      if (resourceGroup === undefined) missing.push("AZURE_RESOURCE_GROUP");
      if (workspaceName === undefined) missing.push("AZUREML_WORKSPACE_NAME");
    }
  }
  if (values.MLPIPE_CREDENTIAL === "access-token" && values.MLPIPE_ACCESS_TOKEN === undefined)
    missing.push("MLPIPE_ACCESS_TOKEN");
  if (workspace === undefined || missing.length > 0) {
    throw new MlpipeError(
      "InvalidRequest",
      `Settings are missing: ${missing.join(", ")}. Set them as application settings, or put Azure ML's config.json into the app's folder or one above it.`,
      { issues: missing.map((path) => ({ path, message: "is missing", severity: "error" })) },
    );
  }
  return {
    workspace,
    resourceManager: {
      endpoint: values.AZURE_RESOURCE_MANAGER_ENDPOINT,
      audience: values.AZURE_RESOURCE_MANAGER_AUDIENCE,
    },
    credential: toCredentialSettings(values),
    pipelinesFolder: join(root, values.MLPIPE_PIPELINES),
    schedulesFolder: join(root, values.MLPIPE_SCHEDULES),
    datasetsFolder: join(root, values.MLPIPE_DATASETS),
    eventDays: values.MLPIPE_EVENT_DAYS,
    retention: {
      historyDays: values.MLPIPE_HISTORY_DAYS,
      cacheDays: values.MLPIPE_CACHE_DAYS,
      eventDays: values.MLPIPE_EVENT_DAYS,
      ...(values.MLPIPE_OUTPUT_DAYS === undefined ? {} : { outputDays: values.MLPIPE_OUTPUT_DAYS }),
    },
    webhookAllow: values.MLPIPE_WEBHOOK_ALLOW.split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
    concurrency: toConcurrency(values),
    prices: values.MLPIPE_PRICES,
    machinesPerJob: values.MLPIPE_MACHINES_PER_JOB,
    deployment: values.MLPIPE_DEPLOYMENT ?? environment.WEBSITE_HOSTNAME,
    logLevel: values.MLPIPE_LOG_LEVEL,
  };
}

function toCredentialSettings(values: z.infer<typeof Environment>): CredentialSettings {
  if (values.MLPIPE_CREDENTIAL === "access-token")
    return { kind: "access-token", token: values.MLPIPE_ACCESS_TOKEN ?? "" };
  if (values.MLPIPE_CREDENTIAL === "managed-identity")
    return { kind: "managed-identity", clientId: values.MLPIPE_CLIENT_ID };
  return { kind: "default" };
}

function toConcurrency(values: z.infer<typeof Environment>): Concurrency {
  const { MLPIPE_MAX_RUNS: maxRuns, MLPIPE_MAX_JOBS: maxJobs, MLPIPE_MAX_JOBS_PER_SIZE: sizes } = values;
  const perSize = sizes?.split(",").map((entry) => entry.split("=").map((part) => part.trim()));
  return {
    ...(maxRuns === undefined ? {} : { maxRuns }),
    ...(maxJobs === undefined ? {} : { maxJobs }),
    ...(perSize === undefined
      ? {}
      : { maxJobsPerSize: Object.fromEntries(perSize.map(([size = "", max]) => [size, Number(max)])) }),
  };
}
