// Why a node ran or was reused, as lines: the reason, then every change with its two values, line by line.
import type { NodeExplanation } from "#shared/api.ts";
import type { Colors } from "../terminal.ts";

/** Lines to print, each value on a line of its own as in a patch. */
export function renderExplanation(explanation: NodeExplanation, colors: Colors): string[] {
  const { node, decision, reason, reusedFrom, comparedWith, changes } = explanation;
  if (decision === "reused" && reusedFrom !== undefined)
    return [`${node} was reused from ${placeOf(reusedFrom)}: ${reason}.`];
  if (decision !== "run") return [`${node} has neither run nor been reused: ${reason}.`];
  const compared =
    comparedWith === undefined ? [] : [`Compared with ${placeOf(comparedWith)}, which ended ${comparedWith.endTime}.`];
  const told = changes.flatMap(({ ingredient, before, after }) => [
    "",
    colors.bold(ingredient),
    ...lines(before).map((line) => colors.red(`- ${line}`)),
    ...lines(after).map((line) => colors.green(`+ ${line}`)),
  ]);
  return [`${node} ran: ${reason}.`, ...compared, ...told];
}

function placeOf({ runId, node, jobName }: { runId: string; node: string; jobName?: string | undefined }): string {
  return `node ${node} of run ${runId}${jobName === undefined ? "" : ` (job ${jobName})`}`;
}

function lines(value: string | undefined): string[] {
  return value === undefined ? [] : value.split("\n");
}
