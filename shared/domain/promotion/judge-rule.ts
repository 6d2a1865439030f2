// Whether one rule lets a model pass. A metric that is missing or no number never passes; a tie with the champion is not better.
import type { RuleOutcome } from "./promotion.ts";
import type { PromotionRule } from "./promotion-plan.ts";

/** How good the champion is by a rule's metric, on the data that the new model was measured on. */
export type ChampionScore =
  /** No version carries the stage yet. */
  | { readonly kind: "none" }
  /** The run's model is the champion. */
  | { readonly kind: "itself"; readonly version: string }
  | { readonly kind: "scored"; readonly version: string; readonly value: number | undefined }
  | { readonly kind: "unscorable"; readonly version: string; readonly reason: string };

/**
 * @param value the metric's last value; undefined when the node has logged none
 * @param champion asked for by a rule that compares with it
 */
export function judgeRule(rule: PromotionRule, value: number | undefined, champion: ChampionScore): RuleOutcome {
  const { node, metric } = rule;
  const about = { node, metric };
  if (value === undefined) return { ...about, isPassed: false, detail: `${node} has logged no ${metric}` };
  if (!Number.isFinite(value))
    return { ...about, isPassed: false, detail: `${metric} of ${node} is ${value}, which is no number to decide on` };
  const told = { ...about, value };
  return rule.kind === "limit" ? judgeLimit(rule, value, told) : judgeAgainst(rule, value, champion, told);
}

type Told = Pick<RuleOutcome, "node" | "metric" | "value">;

function judgeLimit(
  { metric, atLeast, atMost }: Extract<PromotionRule, { kind: "limit" }>,
  value: number,
  told: Told,
): RuleOutcome {
  if (atLeast !== undefined && value < atLeast)
    return { ...told, threshold: atLeast, isPassed: false, detail: `${metric} ${compared(value, "<", atLeast)}` };
  if (atMost !== undefined && value > atMost)
    return { ...told, threshold: atMost, isPassed: false, detail: `${metric} ${compared(value, ">", atMost)}` };
  const limits = [
    ...(atLeast === undefined ? [] : [compared(value, ">=", atLeast)]),
    ...(atMost === undefined ? [] : [compared(value, "<=", atMost)]),
  ];
  const threshold = atLeast ?? atMost;
  return {
    ...told,
    ...(threshold === undefined ? {} : { threshold }),
    isPassed: true,
    detail: `${metric} ${limits.join(" and ")}`,
  };
}

function judgeAgainst(
  rule: Extract<PromotionRule, { kind: "champion" }>,
  value: number,
  champion: ChampionScore,
  told: Told,
): RuleOutcome {
  const { metric, goal, by, ifUnscorable } = rule;
  const own = `${metric} ${shown(value)}`;
  if (champion.kind === "none") return { ...told, isPassed: true, detail: `${own}, there is no champion yet` };
  const against = { ...told, champion: champion.version };
  if (champion.kind === "itself")
    return { ...against, threshold: value, isPassed: true, detail: `${own}, it is the champion itself` };
  const reason =
    champion.kind === "unscorable"
      ? champion.reason
      : champion.value === undefined
        ? `its job has logged no ${metric}`
        : Number.isFinite(champion.value)
          ? undefined
          : `its ${metric} is ${champion.value}`;
  const theirs = champion.kind === "scored" ? champion.value : undefined;
  if (reason !== undefined || theirs === undefined) {
    const isPassed = ifUnscorable === "pass";
    const what = `${own}, champion ${champion.version} cannot be scored: ${reason ?? ""}`;
    return { ...against, isPassed, detail: isPassed ? `${what}; the rule lets that pass` : what };
  }
  const gain = goal === "maximize" ? value - theirs : theirs - value;
  // 0.3 is not 0.2 + 0.1 to a computer: what differs by rounding alone counts as equal.
  const rounding = 4 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(theirs), by);
  const isPassed = by === 0 ? gain > 0 : gain >= by - rounding;
  const margin = by === 0 ? "" : ` by ${shown(by)}`;
  const verdict = isPassed ? "" : gain === 0 && by === 0 ? "no better than " : `not better${margin} than `;
  const sign = goal === "maximize" ? ">" : "<";
  const detail = isPassed
    ? `${metric} ${shown(value, theirs)} ${sign} champion ${champion.version}'s ${shown(theirs, value)}`
    : `${own} is ${verdict}champion ${champion.version}'s ${shown(theirs, value)}`;
  return { ...against, threshold: theirs, isPassed, detail };
}

const digits = 6;
const rounded = (value: number) => String(Number(value.toPrecision(digits)));

/** A number as people read it; in full where rounding would make it look like `other`. */
function shown(value: number, other?: number): string {
  const isBlurred = other !== undefined && other !== value && rounded(other) === rounded(value);
  return isBlurred ? String(value) : rounded(value);
}

function compared(value: number, sign: string, limit: number): string {
  return `${shown(value, limit)} ${sign} ${shown(limit, value)}`;
}
