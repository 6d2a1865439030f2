// Every job writes an end marker when its command ends, whatever the end: the blob that wakes the orchestration up.
import { z } from "zod";

/** The job output that is the marker. Its file lies beside the outputs' folders. */
export const endMarkerOutput = "mlpipe_ended";

export const EndMarker = z.object({ exitCode: z.number().int() });

/**
 * The command as submitted: the author's command in a subshell, so that its `exit` or `exec` cannot skip the trap that writes
 * the marker last.
 *
 * @param command a bash script
 * @returns a bash script that ends with the same exit code
 */
export function withEndMarker(command: string): string {
  return [
    "mlpipe_end() {",
    "  mlpipe_code=$?",
    "  trap - EXIT",
    `  printf '{"exitCode":%d}\\n' "$mlpipe_code" > "\${{outputs.${endMarkerOutput}}}"`,
    '  exit "$mlpipe_code"',
    "}",
    "trap mlpipe_end EXIT",
    "trap 'exit 143' TERM",
    "(",
    command,
    ")",
    // A subshell that ends the script lets bash skip the EXIT trap after a signal.
    'exit "$?"',
  ].join("\n");
}
