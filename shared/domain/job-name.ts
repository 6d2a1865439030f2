// The name a node's attempt has in Azure ML: the same place always gives the same name, which makes submitting twice
// the same as submitting once; two places never give the same name.
import { MlpipeError } from "../errors.ts";

const maxLength = 255;

/**
 * `{runId}-{node}-{attempt}`, with everything of the node's name but letters and digits escaped by `_`. A run id may hold `-` itself, yet node and attempt never do, so the name can be taken apart from its end.
 *
 * @throws MlpipeError `InvalidRequest` when the name would be longer than Azure ML's 255 characters.
 */
export function jobName(runId: string, node: string, attempt: number): string {
  const name = `${runId}-${escapeName(node)}-${attempt}`;
  if (name.length > maxLength) {
    throw new MlpipeError(
      "InvalidRequest",
      `node \`${node}\`: its job's name would be longer than ${maxLength} characters; give it a shorter name`,
    );
  }
  return name;
}

function escapeName(node: string): string {
  return node.replaceAll(/[^A-Za-z0-9]/g, (character) => {
    if (character === "_") return "__";
    if (character === ".") return "_d";
    return `_x${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

const escapedName = /^(.+)-((?:[A-Za-z0-9]|__|_d|_x[0-9a-f]{4})+)-([1-9]\d{0,3})$/;

/** The run and node whose attempt has this name, or undefined for a name that is not of `jobName`'s making. */
export function parseJobName(name: string): { runId: string; node: string; attempt: number } | undefined {
  const [, runId, escaped, attempt] = escapedName.exec(name) ?? [];
  if (runId === undefined || escaped === undefined) return undefined;
  const node = escaped.replaceAll(/__|_d|_x([0-9a-f]{4})/g, (escape, code: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return escape === "__" ? "_" : ".";
  });
  return { runId, node, attempt: Number(attempt) };
}
