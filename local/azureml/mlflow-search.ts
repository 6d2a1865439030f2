// The filter and order language of `runs/search`: https://mlflow.org/docs/latest/search-runs.html
import { MlflowError } from "./mlflow-error.ts";
import type { RunData, TrackedRun } from "./mlflow.ts";

export interface SearchableRun {
  readonly run: TrackedRun;
  readonly data: RunData;
}

type Value = string | number | null | undefined;
type Read = (run: SearchableRun) => Value;

const attributes: Readonly<Record<string, (run: TrackedRun) => Value>> = {
  run_id: (run) => run.runId,
  run_name: (run) => run.runName,
  "run name": (run) => run.runName,
  status: (run) => run.status,
  user_id: (run) => run.userId,
  experiment_id: (run) => run.experimentId,
  start_time: (run) => run.startMs,
  created: (run) => run.startMs,
  end_time: (run) => run.endMs,
};

const field = String.raw`(?:(metrics?|params?|parameters?|tags?|attributes?|attr|run)\.)?(?:"([^"]+)"|${"`"}([^${"`"}]+)${"`"}|([\w./-]+))`;
const comparison = new RegExp(
  String.raw`^\s*${field}\s*(>=|<=|!=|=|>|<|\b(?:NOT\s+)?(?:I?LIKE|IN)\b|\bIS\s+(?:NOT\s+)?NULL\b)\s*('(?:[^'])*'|"(?:[^"])*"|\([^)]*\)|-?[\d.]+(?:e[+-]?\d+)?)?\s*(?:\bAND\b|$)`,
  "i",
);
const ordering = new RegExp(String.raw`^\s*${field}(?:\s+(ASC|DESC))?\s*$`, "i");

function invalid(message: string): MlflowError {
  return new MlflowError("INVALID_PARAMETER_VALUE", message);
}

function reader(group: string | undefined, name: string): Read {
  const kind = group?.toLowerCase() ?? "attribute";
  if (kind.startsWith("metric")) return ({ data }) => data.metrics.find(({ key }) => key === name)?.value;
  if (kind.startsWith("param")) return ({ data }) => data.params.find(({ key }) => key === name)?.value;
  if (kind.startsWith("tag")) return ({ data }) => data.tags.find(({ key }) => key === name)?.value;
  const attribute = attributes[name.toLowerCase()];
  if (attribute === undefined) throw invalid(`Invalid attribute key '${name}' specified.`);
  return ({ run }) => attribute(run);
}

function likePattern(pattern: string, flags: string): RegExp {
  const text = pattern
    .replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(`^${text}$`, flags);
}

function unquote(text: string): string {
  return text.replace(/^(['"])(.*)\1$/s, "$2");
}

function tester(operator: string, operand: string | undefined): (value: Value) => boolean {
  const name = operator.toUpperCase().replaceAll(/\s+/g, " ");
  if (name === "IS NULL") return (value) => value === undefined || value === null;
  if (name === "IS NOT NULL") return (value) => value !== undefined && value !== null;
  if (operand === undefined) throw invalid(`The operator ${operator} needs a value.`);
  if (name.startsWith("NOT ")) {
    const positive = tester(name.slice(4), operand);
    return (value) => value !== undefined && !positive(value);
  }
  if (name === "LIKE" || name === "ILIKE") {
    const pattern = likePattern(unquote(operand), name === "ILIKE" ? "is" : "s");
    return (value) => typeof value === "string" && pattern.test(value);
  }
  if (name === "IN") {
    const members = new Set(
      operand
        .slice(1, -1)
        .split(",")
        .map((member) => unquote(member.trim())),
    );
    return (value) => value !== undefined && value !== null && members.has(String(value));
  }
  const isText = /^['"]/.test(operand);
  const right = isText ? unquote(operand) : Number(operand);
  return (value) => {
    if (value === undefined || value === null) return false;
    const left = isText ? String(value) : Number(value);
    if (name === "=") return left === right;
    if (name === "!=") return left !== right;
    if (name === ">") return left > right;
    if (name === ">=") return left >= right;
    return name === "<" ? left < right : left <= right;
  };
}

/** @throws MlflowError `INVALID_PARAMETER_VALUE` naming the part that cannot be read. */
export function parseFilter(filter: string): (run: SearchableRun) => boolean {
  const tests: ((run: SearchableRun) => boolean)[] = [];
  for (let rest = filter.trim(); rest !== "";) {
    const match = comparison.exec(rest);
    if (match === null) throw invalid(`Invalid clause(s) in filter string: '${rest}'`);
    const [whole, group, quoted, ticked, plain, operator = "", operand] = match;
    const read = reader(group, quoted ?? ticked ?? plain ?? "");
    const isMatch = tester(operator, operand);
    tests.push((run) => isMatch(read(run)));
    rest = rest.slice(whole.length).trim();
  }
  return (run) => tests.every((test) => test(run));
}

function compareValues(left: Value, right: Value, isDescending: boolean): number {
  const isMissing = (value: Value) => value === undefined || value === null || Number.isNaN(value);
  if (isMissing(left) || isMissing(right)) return Number(isMissing(left)) - Number(isMissing(right));
  const order = left === right ? 0 : (left ?? 0) < (right ?? 0) ? -1 : 1;
  return isDescending ? -order : order;
}

/** Order of `order_by` clauses; runs without the value come last; the newest first where nothing decides. */
export function parseOrder(clauses: readonly string[]): (left: SearchableRun, right: SearchableRun) => number {
  const orders = clauses.map((clause) => {
    const match = ordering.exec(clause);
    if (match === null) throw invalid(`Invalid order_by clause '${clause}'`);
    const [, group, quoted, ticked, plain, direction] = match;
    return { read: reader(group, quoted ?? ticked ?? plain ?? ""), isDescending: direction?.toUpperCase() === "DESC" };
  });
  return (left, right) => {
    for (const { read, isDescending } of orders) {
      const order = compareValues(read(left), read(right), isDescending);
      if (order !== 0) return order;
    }
    return right.run.seq - left.run.seq;
  };
}
