// Log levels of host.json, and the line a log entry becomes.
import type { HostLog } from "./contract.ts";

const levels = ["trace", "debug", "information", "warning", "error", "critical", "none"];

/** Lets through what `logging.logLevel` allows: the longest category prefix decides, then `default`. */
export function filterLog(log: HostLog, logLevels: Record<string, string>): HostLog {
  const thresholds = new Map<string, number>();
  function thresholdOf(category: string): number {
    const known = thresholds.get(category);
    if (known !== undefined) return known;
    const prefixes = Object.keys(logLevels).filter(
      (prefix) => category === prefix || category.startsWith(`${prefix}.`),
    );
    const longest = prefixes.sort((a, b) => b.length - a.length)[0] ?? "default";
    const threshold = levels.indexOf(String(logLevels[longest] ?? "Information").toLowerCase());
    thresholds.set(category, threshold);
    return threshold;
  }
  return (level, category, text) => {
    if (levels.indexOf(level) >= thresholdOf(category)) log(level, category, text);
  };
}

/** `<ISO time> <level> <category> <text>`; further lines of the text are indented. */
export function toLogLine(...[level, category, text]: Parameters<HostLog>): string {
  return `${new Date().toISOString()} ${level} ${category} ${text.replaceAll("\n", "\n    ")}\n`;
}
