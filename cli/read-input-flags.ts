import { MlpipeError, type Issue } from "#shared/errors.ts";

/**
 * `name=value` texts as a record; the value is everything after the first `=`.
 * @throws MlpipeError `InvalidRequest` with an issue per text that is not of that form or repeats a name.
 */
export function readInputFlags(texts: readonly string[]): Record<string, string> {
  const inputs = new Map<string, string>();
  const issues: Issue[] = [];
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, Math.max(0, at)).trim();
    if (name === "") issues.push({ severity: "error", path: `--input ${text}`, message: "expected name=value" });
    else if (inputs.has(name))
      issues.push({ severity: "error", path: `--input ${text}`, message: `\`${name}\` is given twice` });
    else inputs.set(name, text.slice(at + 1));
  }
  if (issues.length > 0) throw new MlpipeError("InvalidRequest", "the inputs cannot be read", { issues });
  return Object.fromEntries(inputs);
}
