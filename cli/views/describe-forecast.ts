// What a plan would take and cost, in words: medians first, and what nine in ten runs stay under.
import type { PlanAnswer } from "#shared/api.ts";
import { formatUsd } from "#shared/domain/cost/money.ts";
import { formatDuration } from "./format-duration.ts";

type PlannedNode = PlanAnswer["nodes"][number];

/** Blank for a node that does not run; `?` for one that nothing is known of. */
export function nodeTime({ action, forecast }: PlannedNode): string {
  if (action !== "run" || forecast === undefined) return "";
  if (forecast.seconds === undefined) return "?";
  return atLeast(forecast, between(forecast.seconds, formatDuration));
}

export function nodeCost({ action, forecast }: PlannedNode): string {
  if (action === "reuse") return formatUsd(0);
  if (action !== "run" || forecast === undefined) return "";
  if (forecast.cost === undefined || (forecast.isAtLeast === true && forecast.cost.p50 === 0)) return "?";
  return atLeast(forecast, between(forecast.cost, formatUsd));
}

/** Lines below the nodes. */
export function describeForecast({ nodes, forecast }: PlanAnswer): string[] {
  if (forecast === undefined) return [];
  const { seconds, cost, isAtLeast, notes, worst, maxCost } = forecast;
  if (!nodes.some(({ action }) => action === "run")) return ["", "Nothing would run, and nothing be spent."];
  const isKnown = nodes.some((node) => node.forecast?.seconds !== undefined);
  const least = isAtLeast ? "at least " : "";
  const most = [
    ...(worst?.seconds === undefined ? [] : [formatDuration(worst.seconds)]),
    ...(worst?.cost === undefined || worst.cost === maxCost ? [] : [formatUsd(worst.cost)]),
  ];
  return [
    "",
    ...(isKnown || !isAtLeast
      ? [
          `Time  ${least}${formatDuration(seconds.p50)}, nine in ten under ${formatDuration(seconds.p90)}`,
          `Cost  ${least}${formatUsd(cost.p50)}, nine in ten under ${formatUsd(cost.p90)}`,
        ]
      : ["Time and cost are not known yet: no node has completed before."]),
    ...(most.length === 0 ? [] : [`Most  ${most.join(", ")} by its limits`]),
    ...(maxCost === undefined ? [] : [`Cap   ${formatUsd(maxCost)}${verdict(forecast, maxCost)}`]),
    ...(isKnown && notes.length > 0 ? ["Not in it:", ...notes.map((note) => `  ${note}`)] : []),
  ];
}

function verdict({ cost, isAtLeast }: NonNullable<PlanAnswer["forecast"]>, maxCost: number): string {
  if (cost.p50 > maxCost) return ", which will most likely cut it";
  if (cost.p90 > maxCost) return ", which may cut it";
  return isAtLeast ? "" : ", which is enough";
}

function atLeast({ isAtLeast }: { readonly isAtLeast?: boolean | undefined }, text: string): string {
  return isAtLeast === true ? `≥ ${text}` : text;
}

function between(
  { p50, p90 }: { readonly p50: number; readonly p90: number },
  format: (value: number) => string,
): string {
  const [low, high] = [format(p50), format(p90)];
  return low === high ? low : `${low} – ${high}`;
}
