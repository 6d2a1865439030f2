import { describe, expect, test } from "vitest";
import { classifyFailure, type FailureEvidence, isLastingRefusal } from "#shared/domain/classify-failure.ts";
import { FailureClass, failureClasses } from "#shared/domain/failure-class.ts";

const classify = (evidence: Partial<FailureEvidence>) =>
  classifyFailure({ jobStatus: "Failed", codes: [], logTail: [], ...evidence });

const examples: readonly [FailureClass, string, Partial<FailureEvidence>][] = [
  [
    "user-code",
    "a Python error",
    { exitCode: 1, logTail: ["Traceback (most recent call last):", "ValueError: no images"] },
  ],
  ["user-code", "a code of its own", { exitCode: 3, codes: ["UserError"] }],
  [
    "user-code",
    "no marker, but the service tells the exit code",
    { message: "Execution failed. User process exited with status code 2." },
  ],
  [
    "user-code",
    "words of the service that only repeat the log",
    { exitCode: 1, message: "Execution failed.\nquota exceeded, please mount" },
  ],
  [
    "out-of-memory",
    "CUDA",
    { exitCode: 1, logTail: ["torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"] },
  ],
  [
    "out-of-memory",
    "TensorFlow on a GPU",
    { exitCode: 1, logTail: ["ResourceExhaustedError: OOM when allocating tensor"] },
  ],
  [
    "out-of-memory",
    "numpy",
    { exitCode: 1, logTail: ["numpy.core._exceptions._ArrayMemoryError: Unable to allocate 9 GiB"] },
  ],
  ["out-of-memory", "Python", { exitCode: 1, logTail: ["MemoryError"] }],
  ["out-of-memory", "the kernel's kill", { exitCode: 137, logTail: ["epoch 3"] }],
  [
    "out-of-memory",
    "the shell's word for it",
    { exitCode: 1, logTail: ["run.sh: line 3:  1234 Killed   python train.py"] },
  ],
  [
    "out-of-memory",
    "no marker, a kill told by the service",
    { message: "User process was killed (signal 9; a machine out of memory does that)." },
  ],
  ["out-of-memory", "Azure's code", { codes: ["UserError", "OutOfMemoryError"] }],
  ["preempted", "the machine's notice", { exitCode: 143 }],
  ["preempted", "Azure's code", { codes: ["AzureMLCompute", "NodePreempted"] }],
  ["preempted", "the service's words", { message: "The job was preempted by a higher priority workload." }],
  [
    "no-capacity",
    "failed only after it was taken",
    { codes: ["AllocationFailed"], message: "Allocation failed. We do not have sufficient capacity." },
  ],
  ["no-capacity", "a quota", { message: "The specified subscription has a vCPU quota of 0" }],
  ["no-capacity", "Azure's code", { codes: ["UserError", "ClusterCoreQuotaReached"] }],
  ["image-build", "Azure's code", { codes: ["ImageBuildFailure"], message: "Image build failed" }],
  ["image-build", "a pull", { codes: ["FailedPullingImage"], message: "Unable to pull docker image" }],
  ["storage", "a mount", { message: "Failed to mount the input images" }],
  ["storage", "Azure's code", { codes: ["DataAccess"], message: "Input `images`: the blob is gone" }],
  ["storage", "a full disk", { exitCode: 1, logTail: ["OSError: [Errno 28] No space left on device"] }],
  ["storage", "a lost mount", { exitCode: 1, logTail: ["OSError: [Errno 107] Transport endpoint is not connected"] }],
  ["throttled", "Azure's code", { codes: ["TooManyRequests"] }],
  ["throttled", "the service's words", { message: "Too many requests, throttling the run" }],
  ["lost", "a machine that went quiet", { codes: ["NodeLost"] }],
  ["lost", "a job nobody knows", { jobStatus: "NotFound" }],
  ["lost", "no word from anybody", { message: undefined }],
  ["lost", "the service's own fault", { codes: ["ServiceError"], message: "The job could not be run" }],
];

describe("a failure", () => {
  test.each(examples)("is %s by %s", (expected, _what, evidence) => {
    expect(classify(evidence).class).toBe(expected);
  });

  test("of every class has an example", () => {
    expect(new Set(examples.map(([name]) => name))).toEqual(new Set(FailureClass.options));
  });

  test("names the command's last error", () => {
    const { reason } = classify({ exitCode: 1, logTail: ["Traceback", "  File x", "ValueError: no images", "done"] });
    expect(reason).toBe("the command ended with exit code 1: ValueError: no images");
  });

  test("tells whose memory was short", () => {
    expect(classify({ exitCode: 1, logTail: ["RuntimeError: CUDA out of memory."] }).memory).toBe("gpu");
    expect(classify({ exitCode: 137 }).memory).toBe("machine");
  });

  test.each([
    ["image-build", { codes: ["ImageBuildFailure"], message: "No matching distribution found for nump" }],
    ["storage", { exitCode: 1, logTail: ["No space left on device"] }],
    ["no-capacity", { message: "a vCPU quota of 0" }],
  ] as const)("of %s that would come again says so", (name, evidence) => {
    expect(classify(evidence)).toMatchObject({ class: name, isLasting: true });
  });

  test("of an installer that says most in its last error is told by that line, and lasts", () => {
    const message =
      "The Python environment could not be built:\nCollecting nump==9\nERROR: Could not find a version\nERROR: No matching distribution found for nump==9\nnotice: a newer pip";
    const reason = "the environment could not be built: No matching distribution found for nump==9";
    expect(classify({ message })).toEqual({ class: "image-build", reason, isLasting: true });
  });

  test("that may pass does not say that it lasts", () => {
    expect(classify({ codes: ["AllocationFailed"] })).not.toHaveProperty("isLasting");
    expect(classify({ codes: ["DataAccess"], message: "the store answered 503" })).not.toHaveProperty("isLasting");
  });

  test("by a limit of the service or by hand has no class: nothing is tried again", () => {
    expect(
      classify({ jobStatus: "Canceled", codes: ["JobTimedOut"], message: "ran longer than limits.timeout" }),
    ).toEqual({
      reason: "ran longer than limits.timeout",
    });
    expect(classify({ jobStatus: "Canceled" })).toEqual({ reason: "its job was canceled in the workspace" });
  });

  test("is told in a bounded sentence", () => {
    expect(classify({ message: "x".repeat(5_000) }).reason.length).toBeLessThanOrEqual(600);
  });
});

test("a quota is for people to raise, capacity may come back by itself", () => {
  expect(isLastingRefusal("a vCPU quota of 0 and is less than the requested")).toBe(true);
  expect(isLastingRefusal("Standard_X is not a supported VM size")).toBe(true);
  expect(isLastingRefusal("We do not have sufficient capacity for the requested VM size")).toBe(false);
});

test("every class says what to do", () => {
  for (const { title, advice } of Object.values(failureClasses)) expect([title, advice]).not.toContain("");
});

describe("a module that is not there", () => {
  const reasonOf = (line: string) => classify({ exitCode: 1, logTail: ["Traceback", line, "a line after it"] }).reason;

  test.each([
    ["ModuleNotFoundError: No module named 'sklearn'", "scikit-learn"],
    ["ModuleNotFoundError: No module named 'azure.ai.ml.entities'; 'azure' is not a package", "azure-ai-ml"],
    ["ModuleNotFoundError: No module named 'lightgbm.basic'", "lightgbm"],
    ["/env/bin/python3.11: No module named pytest", "pytest"],
    [
      "/env/bin/python: Error while finding module specification for 'a.b' (ModuleNotFoundError: No module named 'a')",
      "a",
    ],
  ])("%s: the package and where to list it", (line, expected) => {
    expect(reasonOf(line)).toContain(`exit code 1: ${line}. List \`${expected}\` under \`pip\` in the \`conda_file\``);
  });

  test("another error of an import says what it says", () => {
    const line = "ImportError: cannot import name 'x' from 'y'";
    expect(reasonOf(line)).toBe(`the command ended with exit code 1: ${line}`);
  });
});
