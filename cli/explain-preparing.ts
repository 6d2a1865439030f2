import type { RunProgress } from "./follow-run.ts";

const longMilliseconds = 5000;

/** A job that prepares for long builds its environment, and who waits for that should know that it is once only. */
export function explainPreparing(tell: (text: string) => void): (progress: RunProgress) => void {
  let since: number | undefined;
  let isTold = false;
  return ({ document }) => {
    const isPreparing = document.nodes.some(
      ({ status, jobStatus }) => status === "running" && jobStatus === "Preparing",
    );
    since = isPreparing ? (since ?? performance.now()) : undefined;
    const isLong = since !== undefined && performance.now() - since > longMilliseconds;
    if (isLong === isTold) return;
    isTold = isLong;
    tell(isLong ? "Building the Python environment: once, some minutes; later runs reuse it." : "");
  };
}
