// From what is known of an ended job to the class of its failure and a sentence for people.
import { missingModuleAdvice } from "./missing-module.ts";
import { type FailureClass, failureClasses, type FailureClassFacts } from "./failure-class.ts";

export interface FailureEvidence {
  /** Azure ML's word for how the job ended; `NotFound` when the workspace does not know it. */
  readonly jobStatus: string;
  /** Every code the service gave, outermost first. */
  readonly codes: readonly string[];
  /** What the service said, as it said it. */
  readonly message?: string | undefined;
  /** From the end marker; absent when the command did not come to its end. */
  readonly exitCode?: number | undefined;
  /** The end of the job's log, oldest line first. */
  readonly logTail: readonly string[];
}

export interface ClassifiedFailure {
  /** Absent for a job that was stopped on purpose. */
  readonly class?: FailureClass;
  readonly reason: string;
  /** Another attempt would end the same. */
  readonly isLasting?: true;
  /** Which memory an `out-of-memory` ran out of. */
  readonly memory?: "gpu" | "machine";
}

const inOrder = Object.entries(failureClasses) as [FailureClass, FailureClassFacts][];

/** Codes in which the service says that it stopped a job that was too slow. */
const timedOut = /JobTimedOut|MaxWallTime|timeout.*exceeded/i;
const gpuMemory = /CUDA|CUBLAS|OOM when allocating|cuda\.OutOfMemoryError/;
/** Python's, or any, last word on what went wrong. */
const errorLine =
  /^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Interrupt)\b|^(?:error|fatal)\b[:\s]|^\S*python[\d.]*: (?:No module named|Error while finding module)/i;
const longestReason = 600;

export function classifyFailure(evidence: FailureEvidence): ClassifiedFailure {
  const { jobStatus, codes, message, logTail } = evidence;
  const exitCode = evidence.exitCode ?? exitCodeIn(message);
  if (codes.some((code) => timedOut.test(code))) {
    return { reason: shorten(message ?? "the service stopped the job at its time limit") };
  }
  const said = tellingLine(message);
  const byCode = inOrder.find(
    ([
      ,
      {
        evidence: { codes: known },
      },
    ]) => codes.some((code) => known?.test(code) === true),
  );
  if (byCode !== undefined) return told(byCode, said ?? codes[0] ?? "", [...codes, message].join(" "));

  if (exitCode === undefined && said !== undefined) {
    const bySentence = inOrder.find(
      ([, facts]) => facts.evidence.sentences?.test(`${said} ${firstLine(message)}`) === true,
    );
    if (bySentence !== undefined) return told(bySentence, said, message);
  }
  const lines = logTail.toReversed();
  for (const entry of inOrder) {
    const line = lines.find((each) => entry[1].evidence.log?.test(each) === true);
    if (line !== undefined) return told(entry, line.trim());
  }
  if (exitCode !== undefined) {
    const byExitCode = inOrder.find(([, facts]) => facts.evidence.exitCodes?.includes(exitCode) === true);
    if (byExitCode !== undefined) return told(byExitCode, `exit code ${exitCode}`);
    const last = lines.find((line) => errorLine.test(line));
    const end = `the command ended with exit code ${exitCode}`;
    if (last === undefined) return { class: "user-code", reason: end };
    const advice = missingModuleAdvice(last);
    return {
      class: "user-code",
      reason: shorten(`${end}: ${last.trim()}${advice === undefined ? "" : `. ${advice}`}`),
    };
  }
  if (jobStatus === "Canceled") return { reason: shorten(said ?? "its job was canceled in the workspace") };
  const how = said ?? `the job ended as ${jobStatus} before its command did, and the service does not say why`;
  return { class: "lost", reason: shorten(how) };
}

/** Whether a size that the service refused with these words will be refused again tomorrow. */
export function isLastingRefusal(reason: string): boolean {
  return failureClasses["no-capacity"].evidence.lasting?.test(reason) === true;
}

function told(
  [failureClass, { title, evidence }]: [FailureClass, FailureClassFacts],
  words: string,
  more = "",
): ClassifiedFailure {
  const isLasting = evidence.lasting?.test(`${words} ${more}`) === true;
  const isGpu = gpuMemory.test(words);
  return {
    class: failureClass,
    reason: shorten(words === "" ? title : `${title}: ${words}`),
    ...(isLasting ? { isLasting: true as const } : {}),
    ...(failureClass === "out-of-memory" ? { memory: isGpu ? ("gpu" as const) : ("machine" as const) } : {}),
  };
}

/** The service repeats the exit code where no marker could be written. */
function exitCodeIn(message: string | undefined): number | undefined {
  const code = /(?:status|exit|return) code:? (\d{1,3})\b/i.exec(message ?? "")?.[1];
  if (code !== undefined) return Number(code);
  const signal = /signal (\d{1,2})\b/i.exec(message ?? "")?.[1];
  return signal === undefined ? undefined : 128 + Number(signal);
}

/** Of a long message, the line that says most: a tool's last error, else the first. */
function tellingLine(message: string | undefined): string | undefined {
  const error = message?.split("\n").findLast((line) => errorLine.test(line.trim()));
  return error === undefined ? firstLine(message) : error.trim().replace(/^error:\s*/i, "");
}

function firstLine(message: string | undefined): string | undefined {
  const line = message?.trim().split("\n")[0]?.trim();
  return line === "" ? undefined : line;
}

function shorten(text: string): string {
  return text.length > longestReason ? `${text.slice(0, longestReason - 1)}…` : text;
}
