// The command of a `parallel` node's job.
import { harness } from "./harness.ts";
import { toShellWords } from "./shell-words.ts";

export interface ParallelSettings {
  readonly entryScript: string;
  /** The input that is split. */
  readonly input: string;
  readonly miniBatch: { readonly files: number } | { readonly bytes: number };
  /** Processes; absent for as many as the machine has cores, and one where there is a GPU. */
  readonly concurrency?: number;
  readonly maxRetries: number;
  readonly timeoutSeconds: number;
  /** -1 for any number, as of mini-batches. */
  readonly errorThreshold: number;
  readonly miniBatchErrorThreshold: number;
  readonly loggingLevel: string;
  /** As written, with its expression. */
  readonly appendRowTo?: string;
  readonly programArguments?: string;
}

const end = "MLPIPE_PARALLEL_RUN";

/** A bash script whose expressions are the node's own. */
export function parallelScript(settings: ParallelSettings): string {
  const { miniBatch } = settings;
  const options: Record<string, string | number | undefined> = {
    entry_script: toShellWords(`"${settings.entryScript.replaceAll(/["\\]/g, String.raw`\$&`)}"`),
    input: `"\${{inputs.${settings.input}}}"`,
    files_per_batch: "files" in miniBatch ? miniBatch.files : undefined,
    bytes_per_batch: "bytes" in miniBatch ? miniBatch.bytes : undefined,
    concurrency: settings.concurrency,
    max_retries: settings.maxRetries,
    timeout: settings.timeoutSeconds,
    error_threshold: settings.errorThreshold,
    mini_batch_error_threshold: settings.miniBatchErrorThreshold,
    logging_level: settings.loggingLevel,
    append_row_to: settings.appendRowTo === undefined ? undefined : toShellWords(settings.appendRowTo),
  };
  const own = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return [
    'mlpipe_parallel="$(mktemp -d)"',
    `cat > "$mlpipe_parallel/parallel_run.py" <<'${end}'`,
    `${harness}${end}`,
    `python "$mlpipe_parallel/parallel_run.py" ${own.join(" ")} -- ${toShellWords(settings.programArguments ?? "") ?? ""}`,
    "mlpipe_code=$?",
    'rm -rf "$mlpipe_parallel"',
    'exit "$mlpipe_code"',
  ].join("\n");
}
