// Every event the app logs, fields first, then a short fixed text. Tokens, signed URLs and whole inputs have no field here.
import { pino, type Logger } from "pino";

export type Log = Logger;

const secretPattern =
  /([?&](?:sig|code|se|sv|skoid)=)[^&\s"']+|(Bearer )[A-Za-z0-9._~+/-]+=*|((?:AccountKey|SharedAccessKey)=)[^;\s"']+/gi;

/** `text` without signatures, keys and tokens, for anything a person or a log will see. */
export function withoutSecrets(text: string): string {
  return text.replace(
    secretPattern,
    (_match, query: string | undefined, bearer: string | undefined, key: string | undefined) => {
      return `${query ?? bearer ?? key ?? ""}…`;
    },
  );
}

/**
 * @param level lowest level written
 * @returns a logger writing JSON lines to standard output, where Application Insights and the embedded host read them
 */
export function createLog(level: "debug" | "info" | "warn" | "error"): Log {
  return pino({
    level,
    base: null,
    serializers: {
      error: (error: unknown) =>
        error instanceof Error
          ? {
              name: error.name,
              message: withoutSecrets(error.message),
              stack: withoutSecrets(error.stack ?? ""),
            }
          : withoutSecrets(String(error)),
    },
  });
}
