import type { z } from "zod";
import type { NodeMetrics } from "#shared/api.ts";

const mostValues = 6;

/**
 * The latest value of each metric in one line: `epoch 3/10  loss 0.412  acc 0.851`. The epoch is the number of points of
 * the longest series, over the parameter `epochs` where the script logged one. Loss and accuracy speak for the others,
 * which are only counted then. Empty when nothing has been logged.
 */
export function summarizeMetrics({ metrics, params }: z.infer<typeof NodeMetrics>): string {
  const series = Object.entries(metrics).filter(([name, points]) => points.length > 0 && !name.startsWith("system/"));
  if (series.length === 0) return "";
  const count = Math.max(...series.map(([, points]) => points.length));
  const epochs = Number(params["epochs"]);
  const progress = epochs >= count ? [`epoch ${count}/${epochs}`] : count > 1 ? [`step ${count}`] : [];

  const inOrder = series.toSorted(([a], [b]) => rankOf(a) - rankOf(b));
  const headline = inOrder.filter(([name]) => rankOf(name) < plainRank);
  const shown = (headline.length > 0 ? headline : inOrder).slice(0, mostValues);
  const values = shown.map(([name, points]) => `${shorten(name)} ${formatValue(points.at(-1)?.value ?? Number.NaN)}`);
  const rest = series.length > shown.length ? [`and ${series.length - shown.length} more`] : [];
  return [...progress, ...values, ...rest].join("  ");
}

const plainRank = 4;

/** Loss, accuracy, the same of the validation, then the rest. */
function rankOf(name: string): number {
  const isValidation = /^val/i.test(name);
  if (/loss/i.test(name)) return isValidation ? 2 : 0;
  if (/acc/i.test(name)) return isValidation ? 3 : 1;
  return plainRank;
}

function shorten(name: string): string {
  return name.toLowerCase().replaceAll("accuracy", "acc").replaceAll("validation", "val");
}

/** Three decimals where they say something, else three significant digits. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size >= 0.001 && size < 1000) return value.toFixed(3);
  return value.toPrecision(3);
}
