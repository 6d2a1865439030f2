// What became of a run's model, in lines.
import { headlineOf, type Promotion } from "#shared/domain/promotion/promotion.ts";
import type { RunDocument } from "#shared/domain/run.ts";
import type { Colors } from "../terminal.ts";
import type { Hue } from "./statuses.ts";

export const outcomeHues = {
  promoted: "green",
  "already-promoted": "green",
  "not-promoted": "yellow",
} as const satisfies Record<NonNullable<Promotion["outcome"]>, Hue>;

/** In one line, with the reason. */
export function tellPromotion(promotion: Promotion, colors: Colors): string {
  const { reason, outcome, champion } = promotion;
  const place = outcome === "promoted" && champion !== undefined ? ` in place of version ${champion.version}` : "";
  const said = describeAnswer(promotion.approval);
  const told = [...(reason === undefined ? [] : [reason]), ...(outcome === "promoted" ? (said ?? []) : [])];
  return `${headline(promotion, colors)}${place}${told.length === 0 ? "" : `: ${told.join(", ")}`}`;
}

/** The same with a line for each rule and for who answered. */
export function describePromotion(promotion: Promotion, colors: Colors): string[] {
  const { outcome, reason, rules, champion, approval } = promotion;
  const isByRules = rules.length > 1 && (outcome !== "not-promoted" || rules.some(({ isPassed }) => !isPassed));
  const first = headline(promotion, colors);
  return [
    reason === undefined || isByRules ? first : `${first}: ${reason}`,
    ...(rules.length > 1
      ? rules.map(({ isPassed, detail }) => `  ${isPassed ? colors.green("✔") : colors.red("✖")} ${detail}`)
      : []),
    ...(outcome === "promoted" && champion !== undefined ? [`  in place of version ${champion.version}`] : []),
    ...(describeAnswer(approval) ?? []).map((line) => `  ${line}`),
  ];
}

/** Whether somebody is asked at this moment. */
export function isAsking({ status, promotion }: RunDocument): boolean {
  const { requestedTime, answer } = promotion?.approval ?? {};
  return status === "running" && requestedTime !== undefined && answer === undefined;
}

function headline(promotion: Promotion, colors: Colors): string {
  const { outcome, model, approval } = promotion;
  if (outcome === undefined && approval?.deadline !== undefined && approval.answer === undefined)
    return colors.yellow(`Model ${model} waits for approval until ${toMinute(approval.deadline)} UTC`);
  const text = headlineOf(promotion);
  return outcome === undefined ? text : colors[outcomeHues[outcome]](text);
}

function describeAnswer(approval: Promotion["approval"]): string[] | undefined {
  const { answer } = approval ?? {};
  if (answer === undefined) return undefined;
  if (answer.decision === "canceled" || answer.decision === "timed-out") return undefined;
  const by = answer.by === undefined ? "" : ` by ${answer.by}`;
  const comment = answer.comment === undefined ? "" : `: ${answer.comment}`;
  return [`${answer.decision}${by} at ${toMinute(answer.time)} UTC${comment}`];
}

/** What a table has room for beside the node that decides. */
export function summarizePromotion({ outcome, version, stage, model }: Promotion): string | undefined {
  if (outcome === undefined) return undefined;
  return outcome === "not-promoted" ? `${model} not promoted` : `${model}:${version} is ${stage}`;
}

const toMinute = (time: string) => time.slice(0, 16).replace("T", " ");
