// Route templates of ASP.NET Core routing, as HTTP triggers use them, compiled to one regular expression each.
// https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
import type { Constraint } from "./route-constraints.ts";
import { parseConstraint } from "./route-constraints.ts";

export interface RouteTemplate {
  readonly text: string;
  /** A path that fits the template when its parameters take any text; to find what shadows it. */
  readonly sample: string;
  /**
   * @param path decoded, without leading and trailing slash
   * @returns the parameters (an absent optional is a missing key), or undefined when the path does not fit
   */
  match(path: string): Record<string, string> | undefined;
}

interface Parameter {
  readonly name: string;
  readonly isCatchAll: boolean;
  readonly isOptional: boolean;
  readonly defaultValue: string | undefined;
  readonly constraints: readonly Constraint[];
}

type Part = string | Parameter;

/** @throws with a sentence that says what in the template is wrong */
export function parseRouteTemplate(text: string): RouteTemplate {
  const segments = splitSegments(text).map(parseSegment);
  const parameters = segments.flat().filter((part) => typeof part !== "string");
  checkParameters(segments, parameters);
  const pattern = new RegExp(
    `^${segments.map((segment, index) => segmentPattern(segment, segments, index)).join("")}$`,
    "is",
  );
  return {
    text,
    sample: segments
      .map((segment) => segment.map((part) => (typeof part === "string" ? part : "x0")).join(""))
      .join("/"),
    match(path) {
      const groups = pattern.exec(path === "" ? "" : `/${path}`);
      if (groups === null) return undefined;
      const values: Record<string, string> = Object.create(null) as Record<string, string>;
      for (const [index, parameter] of parameters.entries()) {
        const value =
          groups[index + 1] || parameter.defaultValue || (parameter.isCatchAll ? groups[index + 1] : undefined);
        if (value === undefined) continue;
        if (!parameter.constraints.every((fits) => fits(value))) return undefined;
        values[parameter.name] = value;
      }
      return values;
    },
  };
}

function segmentPattern(segment: readonly Part[], segments: readonly (readonly Part[])[], index: number): string {
  const [first] = segment;
  if (segment.length === 1 && first !== undefined && typeof first !== "string") {
    if (first.isCatchAll) return "(?:/(.*))?";
    const mayBeMissing = segments
      .slice(index)
      .every((later) => later.every((part) => typeof part !== "string" && canBeMissing(part)));
    return mayBeMissing ? "(?:/([^/]+))?" : "/([^/]+)";
  }
  const last = segment.at(-1);
  const isOptionalTail = last !== undefined && typeof last !== "string" && last.isOptional;
  const body = segment.map((part, position) => {
    if (typeof part === "string") return isOptionalTail && position === segment.length - 2 ? "" : escape(part);
    return isOptionalTail && position === segment.length - 1
      ? "(?:\\.([^/.]+))?"
      : isOptionalTail
        ? "([^/]+?)"
        : "([^/]+)";
  });
  return `/${body.join("")}`;
}

function canBeMissing(parameter: Parameter): boolean {
  return parameter.isOptional || parameter.isCatchAll || parameter.defaultValue !== undefined;
}

function checkParameters(segments: readonly (readonly Part[])[], parameters: readonly Parameter[]): void {
  const names = parameters.map((parameter) => parameter.name.toLowerCase());
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new Error(`the parameter {${repeated}} appears twice`);
  for (const [index, segment] of segments.entries()) {
    for (const [position, part] of segment.entries()) {
      if (typeof part === "string") continue;
      const previous = segment[position - 1];
      if (previous !== undefined && typeof previous !== "string")
        throw new Error("two parameters touch: put text between them");
      if (part.isCatchAll && (index !== segments.length - 1 || segment.length > 1)) {
        throw new Error(`the catch-all {*${part.name}} must be the whole last segment`);
      }
      if (!part.isOptional) continue;
      const followsDot = position === segment.length - 1 && previous === "." && segment.length > 2;
      if (index !== segments.length - 1 || (segment.length > 1 && !followsDot)) {
        throw new Error(`the optional parameter {${part.name}?} must be the last segment, or follow its last "."`);
      }
    }
  }
}

/** Splits at the slashes outside braces: a regex constraint may hold one. */
function splitSegments(text: string): string[] {
  const trimmed = text.replace(/^\/+|\/+$/g, "");
  if (trimmed === "") return [];
  const segments = [""];
  let depth = 0;
  for (const character of trimmed) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (character === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += character;
  }
  if (depth !== 0) throw new Error("its braces do not match");
  if (segments.includes("")) throw new Error("it holds an empty segment");
  return segments;
}

function parseSegment(text: string): Part[] {
  const parts: Part[] = [];
  let literal = "";
  for (let at = 0; at < text.length;) {
    const pair = text.slice(at, at + 2);
    if (pair === "{{" || pair === "}}") {
      literal += pair[0];
      at += 2;
    } else if (text[at] === "{") {
      const end = endOfParameter(text, at);
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push(parseParameter(text.slice(at + 1, end)));
      at = end + 1;
    } else {
      literal += text[at];
      at += 1;
    }
  }
  return literal === "" ? parts : [...parts, literal];
}

/** Inside a parameter doubled braces stand for one, as in `{code:regex(^\d{{3}}$)}`. */
function endOfParameter(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const pair = text.slice(at, at + 2);
    if (pair === "{{" || pair === "}}") at += 1;
    else if (text[at] === "}") return at;
  }
  throw new Error("its braces do not match");
}

function parseParameter(text: string): Parameter {
  const match = /^(\*{0,2})([^:=?{}()*/]+)(.*)$/s.exec(text);
  const [, stars = "", name = "", rest = ""] = match ?? [];
  if (name === "") throw new Error(`{${text}} has no parameter name`);
  const isOptional = rest.endsWith("?");
  const { constraints, defaultValue } = splitRest(isOptional ? rest.slice(0, -1) : rest);
  if (isOptional && defaultValue !== undefined) throw new Error(`{${name}} is optional and has a default: choose one`);
  return {
    name,
    isCatchAll: stars !== "",
    isOptional,
    defaultValue,
    constraints: constraints.map(parseConstraint),
  };
}

/** `:a:b(c:d)=default` in its pieces; a colon or equals sign inside parentheses belongs to the constraint. */
function splitRest(rest: string): { constraints: string[]; defaultValue: string | undefined } {
  const text = rest.replaceAll("{{", "{").replaceAll("}}", "}");
  const constraints: string[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (depth === 0 && character === "=") return { constraints, defaultValue: text.slice(at + 1) };
    if (depth === 0 && character === ":") {
      constraints.push("");
      continue;
    }
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (constraints.length === 0) throw new Error(`"${text}" after a parameter name must start with ":", "=" or "?"`);
    constraints[constraints.length - 1] += character;
  }
  return { constraints, defaultValue: undefined };
}

function escape(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
