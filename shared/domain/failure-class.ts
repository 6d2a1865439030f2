// Why a job did not complete, by who can do something about it. One entry per class: what it is called, what to do, whether and
// when it is tried again, and the words by which it is known.
import { z } from "zod";

export const FailureClass = z.enum([
  "user-code",
  "out-of-memory",
  "preempted",
  "no-capacity",
  "image-build",
  "storage",
  "throttled",
  "lost",
]);
export type FailureClass = z.infer<typeof FailureClass>;

/** Whether and when a failure is tried again. */
export const RetryRule = z.object({
  /** Attempts that may end in this class; 1 tries nothing again. For `no-capacity`, rounds through the sizes. */
  maxAttempts: z.number().int().positive(),
  /** Before the second attempt; each further wait is twice as long. */
  delaySeconds: z.number().nonnegative(),
  maxDelaySeconds: z.number().nonnegative(),
  /** `out-of-memory` alone: go to the next bigger size instead of the same. */
  biggerSize: z.boolean().optional(),
  /** `preempted` alone: attempts on spot machines before a dedicated one is asked for. */
  spotAttempts: z.number().int().nonnegative().optional(),
});
export type RetryRule = z.infer<typeof RetryRule>;

export interface FailureClassFacts {
  /** As in «failed: out of memory». */
  readonly title: string;
  readonly advice: string;
  readonly retry: RetryRule;
  readonly evidence: {
    /** Azure's codes. */
    readonly codes?: RegExp;
    /** The service's sentences; they count where the command did not end by itself. */
    readonly sentences?: RegExp;
    /** A line of the job's log. */
    readonly log?: RegExp;
    readonly exitCodes?: readonly number[];
    /** Among the words above, those after which the next attempt would end the same. */
    readonly lasting?: RegExp;
  };
}

/** In the order in which they are looked for: a job without capacity may also say that it did not respond. */
export const failureClasses: Readonly<Record<FailureClass, FailureClassFacts>> = {
  preempted: {
    title: "the machine was taken away",
    advice: "Spot machines are taken back when others pay more. Save checkpoints, or leave `job_tier: Spot` out.",
    retry: { maxAttempts: 4, delaySeconds: 10, maxDelaySeconds: 300, spotAttempts: 2 },
    evidence: {
      codes: /preempt|evict/i,
      sentences: /preempt|evict|spot (?:vm|instance|machine|node)s? (?:was|were|has been) (?:taken|reclaimed|removed)/i,
      // The machine's polite notice; a command that ends by itself does not end with it.
      exitCodes: [143],
    },
  },
  "out-of-memory": {
    title: "out of memory",
    advice: "Ask for a larger size, smaller batches, or fewer worker processes.",
    retry: { maxAttempts: 2, delaySeconds: 0, maxDelaySeconds: 300, biggerSize: true },
    evidence: {
      codes: /out-?_?of-?_?memory|oom-?killed/i,
      sentences: /out of memory|oom[- ]?kill|memory limit exceeded/i,
      log: /CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|OOM when allocating|(?:^|[\s.])(?:_Array)?MemoryError\b|std::bad_alloc|[Cc]annot allocate memory|can't allocate memory|JavaScript heap out of memory|oom-kill|^Killed\s*$|: line \d+: +\d+ Killed\b/,
      exitCodes: [137],
    },
  },
  "no-capacity": {
    title: "no such machine to be had",
    advice: "Name other sizes in `instance_type_fallbacks`, ask for quota, or try again later.",
    retry: { maxAttempts: 3, delaySeconds: 300, maxDelaySeconds: 1800 },
    evidence: {
      codes:
        /allocation-?_?(?:failed|failure|timeout)|allocationfailed|insufficient.*capacity|core-?quota|quota-?exceeded|sku-?not-?available|unsupported-?vm-?size|overconstrained/i,
      sentences:
        /\bquota\b|capacity|allocation failed|size[^.]{0,80} (?:is|are) not (?:available|supported)|not a supported vm size|sku[^.]{0,80} not available|unable to (?:allocate|provision)/i,
      // A quota is raised by people, and a size that a region does not have it will not have tonight.
      lasting: /\bquota\b|not a supported|unsupported|sku-?not-?available|retired/i,
    },
  },
  "image-build": {
    title: "the environment could not be built",
    advice: "Look at the names and versions in its conda file or Dockerfile; the build's own log says which one.",
    retry: { maxAttempts: 2, delaySeconds: 30, maxDelaySeconds: 600 },
    evidence: {
      codes:
        /image-?build|environment-?(?:build|prepar)|failed-?pulling-?image|image-?pull|docker-?build|conda-?(?:env|build|prepare)/i,
      sentences:
        /image build|build(?:ing)? (?:the )?(?:docker )?image|pull(?:ing)? (?:the )?(?:docker )?image|environment (?:build|could not be built)|conda env/i,
      lasting:
        /ResolvePackageNotFound|PackagesNotFoundError|No matching distribution|ResolutionImpossible|UnsatisfiableError|manifest unknown|pull access denied|Could not solve for environment/i,
    },
  },
  storage: {
    title: "data could not be read or written",
    advice:
      "See that the path exists, that the workspace's identity may read and write it, and that the disk is large enough.",
    retry: { maxAttempts: 3, delaySeconds: 30, maxDelaySeconds: 600 },
    evidence: {
      codes:
        /data-?access|stream-?access|mount-?fail|disk-?full|data-?capability|blob-?not-?found|permission-?mismatch|storage-?(?:error|failure)|datastore/i,
      sentences:
        /\bmount(?:ing|ed)?\b|disk (?:is )?full|no space left|datastore|storage account|upload(?:ing)? (?:of )?outputs?/i,
      log: /No space left on device|Disk quota exceeded|ENOSPC|Transport endpoint is not connected|Input\/output error|Stale file handle/,
      lasting:
        /no space left|disk (?:is )?full|disk-?full|disk quota|ENOSPC|not-?found|not found|does not exist|no such|permission|authoriz|forbidden|in no(?:ne| datastore)\b|must name one blob|cannot be listed|declare (?:it|the input) as|answered 4(?!08|29)\d\d|no blob below|climbs out/i,
    },
  },
  throttled: {
    title: "the service took no more requests",
    advice: "Run fewer jobs at once: see `concurrency` in the pipeline's settings and MLPIPE_MAX_JOBS.",
    retry: { maxAttempts: 5, delaySeconds: 60, maxDelaySeconds: 900 },
    evidence: {
      codes: /too-?many-?requests|throttl|request-?rate|server-?busy/i,
      sentences: /too many requests|throttl|server is busy|rate limit/i,
    },
  },
  lost: {
    title: "the service lost the job",
    advice: "Nothing to mend in the pipeline; the workspace's own pages may tell more.",
    retry: { maxAttempts: 3, delaySeconds: 10, maxDelaySeconds: 300 },
    evidence: {
      codes: /not-?responding|node-?(?:lost|un(?:usable|available))|heartbeat/i,
      sentences: /not responding|stopped responding|heartbeat|node (?:was lost|is (?:lost|unusable|unavailable))/i,
    },
  },
  "user-code": {
    title: "the command failed",
    advice: "The end of its log says where. Nothing is tried again unless the node's `retry` asks for it.",
    retry: { maxAttempts: 1, delaySeconds: 10, maxDelaySeconds: 600 },
    evidence: { codes: /^(?:UserTrainingScriptFailed|UserScriptError|UserExecutionFailed)$/ },
  },
};
