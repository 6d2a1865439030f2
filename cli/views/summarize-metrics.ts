import type { z } from "zod";
import type { NodeMetrics } from "#shared/api.ts";

/**
 * The latest value of each metric in one line: `epoch 3/10  loss 0.412  acc 0.851`. The epoch is the number of points of
 * the longest series, over the parameter `epochs` where the script logged one. Empty when nothing has been logged.
 */
export function summarizeMetrics({ metrics, params }: z.infer<typeof NodeMetrics>): string {
  const series = Object.entries(metrics).filter(([name, points]) => points.length > 0 && !name.startsWith("system/"));
  if (series.length === 0) return "";
  const count = Math.max(...series.map(([, points]) => points.length));
  const epochs = Number(params["epochs"]);
  const progress = epochs >= count ? [`epoch ${count}/${epochs}`] : count > 1 ? [`step ${count}`] : [];
  const isValidation = (name: string) => /^val/i.test(name);
  const ordered = series.toSorted(([a], [b]) => Number(isValidation(a)) - Number(isValidation(b)));
  const values = ordered.map(([name, points]) => `${shorten(name)} ${formatValue(points.at(-1)?.value ?? Number.NaN)}`);
  return [...progress, ...values].join("  ");
}

function shorten(name: string): string {
  return name.toLowerCase().replaceAll("accuracy", "acc");
}

/** Three decimals where they say something, else three significant digits. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size >= 0.001 && size < 1000) return value.toFixed(3);
  return value.toPrecision(3);
}
