// host.json, local.settings.json and the environment, read once and given names.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CorsSettings } from "./cors.ts";
import { parseTimeSpan } from "./time-span.ts";

export type Environment = Record<string, string | undefined>;

export interface HostSettings {
  /** Without slashes; may be empty. */
  readonly routePrefix: string;
  /** Absent means no limit. */
  readonly functionTimeoutMs: number | undefined;
  readonly bodyLimitBytes: number;
  readonly hubName: string;
  /** `extensions.durableTask` of host.json. */
  readonly durableTask: Record<string, unknown>;
  readonly cors: CorsSettings;
  /** IANA name. */
  readonly timeZone: string;
  /** Category prefix -> level name, as `logging.logLevel`. */
  readonly logLevels: Record<string, string>;
  readonly isDisabled: (functionName: string) => boolean;
  /** Replaces each `%NAME%` by that setting. @throws when there is no such setting */
  readonly resolve: (text: string) => string;
}

const defaultTimeout = "00:30:00";
const defaultBodyLimitBytes = 104_857_600;

/**
 * `Values` of local.settings.json are added to `env` where it does not hold the name already.
 * @throws naming the file and the field
 */
export function readHostSettings(appRoot: string, env: Environment): HostSettings {
  const local = readLocalSettings(join(appRoot, "local.settings.json"));
  for (const [name, value] of Object.entries(local.values)) env[name] ??= value;

  const file = join(appRoot, "host.json");
  const host = applyOverrides(readObject(file), env);
  if (host["version"] !== "2.0") throw new Error(`${file}: \`version\` must be "2.0".`);
  const extensions = objectAt(host, "extensions");
  const durableTask = objectAt(extensions, "durableTask");

  function resolve(text: string): string {
    return text.replace(/%([^%]+)%/g, (_, name: string) => {
      const value = env[name];
      if (value === undefined)
        throw new Error(`"%${name}%" names no setting: add ${name} to the environment or to local.settings.json.`);
      return value;
    });
  }

  return {
    routePrefix: textAt(objectAt(extensions, "http"), "routePrefix", "api").replace(/^\/+|\/+$/g, ""),
    functionTimeoutMs: readTimeout(file, host["functionTimeout"] ?? defaultTimeout),
    bodyLimitBytes: readByteCount("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", env, defaultBodyLimitBytes),
    hubName: resolve(textAt(durableTask, "hubName", "TestHubName")),
    durableTask,
    cors: local.cors,
    timeZone: readTimeZone(env),
    logLevels: objectAt(objectAt(host, "logging"), "logLevel") as Record<string, string>,
    isDisabled: (name) => /^(?:true|1)$/i.test(env[`AzureWebJobs.${name}.Disabled`] ?? ""),
    resolve,
  };
}

function readLocalSettings(file: string): { values: Record<string, string>; cors: CorsSettings } {
  const content = existsSync(file) ? readObject(file) : {};
  if (content["IsEncrypted"] === true)
    throw new Error(`${file} is encrypted: decrypt it with \`func settings decrypt\`.`);
  const host = objectAt(content, "Host");
  const origins = typeof host["CORS"] === "string" ? host["CORS"].split(",") : [];
  const values = objectAt(content, "Values");
  const wrong = Object.keys(values).find((name) => typeof values[name] !== "string");
  if (wrong !== undefined) throw new Error(`${file}: Values.${wrong} must be a string.`);
  return {
    values: values as Record<string, string>,
    cors: {
      origins: origins.map((origin) => origin.trim()).filter((origin) => origin !== ""),
      withCredentials: host["CORSCredentials"] === true,
    },
  };
}

/** `AzureFunctionsJobHost__extensions__http__routePrefix=` and its like win over the file. */
function applyOverrides(host: Record<string, unknown>, env: Environment): Record<string, unknown> {
  const prefix = "AzureFunctionsJobHost__";
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || value === undefined) continue;
    const path = name.slice(prefix.length).split("__");
    const last = path.pop() ?? "";
    let place = host;
    for (const key of path) {
      place[key] = objectAt(place, key);
      place = place[key] as Record<string, unknown>;
    }
    place[last] = value;
  }
  return host;
}

function readTimeout(file: string, value: unknown): number | undefined {
  if (value === "-1") return undefined;
  const timeout = typeof value === "string" ? parseTimeSpan(value) : undefined;
  if (timeout === undefined || timeout === 0)
    throw new Error(`${file}: \`functionTimeout\` must be "hh:mm:ss", or "-1" for none.`);
  return timeout;
}

function readByteCount(name: string, env: Environment, fallback: number): number {
  const text = env[name];
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text)) throw new Error(`The setting ${name} must be a number of bytes.`);
  return Number(text);
}

function readTimeZone(env: Environment): string {
  const timeZone = env["WEBSITE_TIME_ZONE"] ?? "UTC";
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch (error) {
    throw new Error(`The setting WEBSITE_TIME_ZONE, "${timeZone}", is no IANA time zone such as Europe/Berlin.`, {
      cause: error,
    });
  }
}

function readObject(file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (content === null || typeof content !== "object" || Array.isArray(content))
    throw new Error(`${file} must hold a JSON object.`);
  return content as Record<string, unknown>;
}

function objectAt(parent: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = parent[key];
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function textAt(parent: Record<string, unknown>, key: string, fallback: string): string {
  const value = parent[key] ?? fallback;
  if (typeof value !== "string") throw new Error(`host.json: \`${key}\` must be a string.`);
  return value;
}
