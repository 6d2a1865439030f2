// The contracts of all activities: name, input, output, retry. Bodies are in functions/activities.
import { z } from "zod";
import { NodeMachines } from "#shared/domain/cost/machine-time.ts";
import { NodePolicy } from "#shared/domain/node-policy.ts";
import { NodeResult, ReusedResult } from "#shared/domain/node-result.ts";
import { SweepPlan } from "#shared/domain/sweep/sweep-plan.ts";
import { Item, LoopPlan } from "#shared/domain/control/loop-plan.ts";
import { PlanBody, PlanGraph } from "#shared/domain/plan.ts";
import { NodeRecipe, RememberedNode } from "#shared/domain/remembered-node.ts";
import { NodeFailure } from "#shared/domain/run.ts";
import { activity, briefly, promptly } from "./contract.ts";
import { ApprovalAnswer, Promotion } from "#shared/domain/promotion/promotion.ts";
import { Message } from "#shared/domain/webhook/notification.ts";
import { NodeSignal } from "./signals.ts";

const Attempt = z.object({
  runId: z.string(),
  node: z.string(),
  attempt: z.number().int().positive(),
});

const SubmitInput = Attempt.extend({
  /** The size to ask for; absent lets the service choose. */
  instanceType: z.string().optional(),
  /** URIs of the upstream outputs this node reads: `node.output` -> URI. */
  upstream: z.record(z.string(), z.string()),
  /** Set when this is one trial of a sweep. */
  trial: z.object({ planNode: z.string(), values: z.record(z.string(), z.string()) }).optional(),
  /** Spot machines were taken away too often: ask for one that stays. */
  isDedicated: z.boolean().optional(),
  /** The service is to end the job after so long: the run's cap pays for no more. */
  ceilingSeconds: z.number().int().positive().optional(),
});
export type SubmitInput = z.infer<typeof SubmitInput>;

const SubmitOutput = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("submitted"), jobName: z.string(), jobStatus: z.string() }),
  /** The service will not give this size: another may do. */
  z.object({ kind: z.literal("refused"), reason: z.string() }),
  /** The service will not take this job at all. */
  z.object({ kind: z.literal("rejected"), reason: z.string() }),
  /** The service gives no answer, or no time for one: the job may be there or not. */
  z.object({ kind: z.literal("unavailable"), reason: z.string(), retryAfterSeconds: z.number().optional() }),
]);
export type SubmitOutput = z.infer<typeof SubmitOutput>;

const submit = { input: SubmitInput, output: SubmitOutput };

export const prep = activity("prep", submit);
export const train = activity("train", submit);
export const score = activity("score", submit);
/** Any other command component. */
export const submitJob = activity("submitJob", submit);

/** Where a job is; waits up to `settleSeconds` for an end that an event has just announced. */
export const getJob = activity("getJob", {
  input: z.object({ jobName: z.string(), settleSeconds: z.number() }),
  output: z.object({
    /** Azure ML's word; `NotFound` when the workspace does not know the job. */
    jobStatus: z.string(),
    outcome: z.enum(["completed", "failed", "canceled"]).optional(),
    /** ISO 8601: when it ended, where nobody had announced it and the service says so. */
    endTime: z.string().optional(),
    /** The service gave no answer: nothing is known of the job. */
    isUnavailable: z.boolean().optional(),
  }),
});

/** Orders a cancel; an order that the service could not take is given again by whoever waits for the job's end. */
export const cancelJob = activity("cancelJob", {
  input: z.object({ jobName: z.string() }),
  /** Whether the service has answered: it cancels the job, or knows of none that needs it. */
  output: z.object({ isTaken: z.boolean() }),
});

/** The URI of each output that a completed job wrote. */
export const collectOutputs = activity("collectOutputs", {
  input: Attempt.extend({ planNode: z.string(), jobName: z.string() }),
  output: z.object({ outputs: z.record(z.string(), z.string()) }),
});

/** Why a job failed: the service's words, the exit code of the end marker, the end of the log. */
export const describeFailure = activity("describeFailure", {
  input: Attempt.extend({ planNode: z.string(), jobName: z.string(), jobStatus: z.string() }),
  output: NodeFailure,
});

const SlotHolder = z.object({
  runId: z.string(),
  /** Absent for the run's own slot. */
  node: z.string().optional(),
});

/** Asks for a slot where limits leave one, and queues up otherwise. Asking again changes nothing. */
export const takeSlot = activity("takeSlot", {
  input: SlotHolder.extend({ instanceType: z.string().optional() }),
  output: z.object({ isGranted: z.boolean(), waitsFor: z.string().optional() }),
});

/** Gives a slot back, or leaves the queue, and tells those who are next. */
export const releaseSlot = activity("releaseSlot", { input: SlotHolder, output: z.null() });

const JobMoney = z.object({ runId: z.string(), node: z.string(), jobName: z.string() });

/**
 * Lends a job of a run with a cap the money to begin or to go on with. `step` numbers a job's requests: one that is asked twice
 * gets the same answer, and one that comes late changes nothing.
 */
export const lendMoney = activity("lendMoney", {
  input: JobMoney.extend({
    instanceType: z.string().optional(),
    isDedicated: z.boolean().optional(),
    step: z.number().int().positive(),
    /** Millionths of a dollar spent so far. */
    used: z.number().int().nonnegative(),
  }),
  output: z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("lent"),
      /** Millionths of a dollar an hour. */
      rate: z.number().int(),
      /** What the job may spend from its beginning to its end. */
      allowance: z.number().int(),
      /** No job could run longer, were the rest of the money its own: the service keeps this limit whatever becomes of us. */
      ceilingSeconds: z.number().int().optional(),
      /** Why there is no more, for the case that it is too little. */
      reason: z.string(),
    }),
    z.object({
      kind: z.literal("refused"),
      reason: z.string(),
      /** Live jobs hold money of which some may come back. */
      mayWait: z.boolean(),
    }),
  ]),
  retry: promptly,
});

export type LoanRequest = z.infer<typeof lendMoney.input>;
export type LoanAnswer = z.infer<typeof lendMoney.output>;

/** Takes down what a job has cost and frees the rest of its money; of one that may still run, the money stays lent. */
export const settleMoney = activity("settleMoney", {
  input: JobMoney.extend({
    cost: z.number().int().nonnegative(),
    /** Set when nobody knows whether it still runs: ISO 8601, from when its machine counts. */
    lostSince: z.string().optional(),
  }),
  output: z.null(),
});

/** Tells the run that a node has ended, or a sweep that a trial has; then remembers what a completed node has made. */
export const reportNode = activity("reportNode", {
  input: z.object({
    runId: z.string(),
    result: NodeResult,
    /** The node that this one is a part of: a sweep, or a loop. */
    owner: z.string().optional(),
    recipe: NodeRecipe.optional(),
  }),
  /** What is remembered; null when there is nothing to remember. */
  output: RememberedNode.nullable(),
});

export const readGraph = activity("readGraph", {
  input: z.object({ runId: z.string() }),
  output: PlanGraph,
});

/**
 * Starts the orchestrations of nodes, except of those that need not run: their results are the answer, and those of every node
 * that need not run because of them. A node that exists already is left alone.
 */
export const startNodes = activity("startNodes", {
  input: z.object({
    runId: z.string(),
    /** With the URI of each output, `node.output`, that they may read. */
    nodes: z.array(z.object({ node: z.string(), upstream: z.record(z.string(), z.string()) })),
  }),
  output: z.object({
    reused: z.array(ReusedResult),
    /** Whether a webhook is registered that may want to hear of the run. */
    isWatched: z.boolean().optional(),
  }),
});

/** Writes down what the nodes of a run have made, for runs that continue it and for the pipeline's next. */
export const rememberRun = activity("rememberRun", {
  input: z.object({
    runId: z.string(),
    /** Those that have run and completed. */
    nodes: z.array(z.string()),
  }),
  output: z.null(),
  retry: briefly,
});

export const readSweep = activity("readSweep", {
  input: z.object({ runId: z.string(), node: z.string() }),
  output: SweepPlan,
});

/** Starts trials of a sweep as nodes; one that exists already is left alone. */
export const startTrials = activity("startTrials", {
  input: z.object({
    runId: z.string(),
    planNode: z.string(),
    component: z.string(),
    instanceTypes: z.array(z.string()),
    timeoutSeconds: z.number().optional(),
    upstream: z.record(z.string(), z.string()),
    policy: NodePolicy.optional(),
    isLimited: z.boolean().optional(),
    machines: NodeMachines.optional(),
    trials: z.array(z.object({ node: z.string(), values: z.record(z.string(), z.string()) })),
  }),
  output: z.null(),
});

/** What each of the named trials has logged of one metric so far, in the order of `nodes`. */
export const readTrialMetrics = activity("readTrialMetrics", {
  input: z.object({ runId: z.string(), nodes: z.array(z.string()), metric: z.string() }),
  output: z.array(z.array(z.number())),
});

/** What a control-flow node is asked about; `upstream` holds what it reads. */
const ControlNode = z.object({ runId: z.string(), node: z.string(), upstream: z.record(z.string(), z.string()) });

/** A node that runs once more, on the registered model of a version. */
const ChampionNode = z.object({ node: z.string(), planNode: z.string(), uri: z.string() });

/** How a condition comes out: that of an `if_else`, or of a `do_while` by the output of the round that has ended. */
export const readCondition = activity("readCondition", {
  input: ControlNode,
  output: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("decided"), value: z.boolean() }),
    z.object({ kind: z.literal("undecidable"), reason: z.string() }),
  ]),
});

/** What a loop repeats, and what its rounds are given. */
export const readLoop = activity("readLoop", {
  input: ControlNode,
  output: z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("loop"),
      planNode: z.string(),
      plan: LoopPlan,
      graph: PlanGraph,
      outputs: PlanBody.shape.outputs,
      items: z.array(Item),
    }),
    /** Items that nothing can be run for. */
    z.object({ kind: z.literal("refused"), reason: z.string() }),
  ]),
});

/** Starts nodes of a loop's rounds; one that exists already is left alone. */
export const startBodyNodes = activity("startBodyNodes", {
  input: z.object({
    runId: z.string(),
    /** The loop. */
    owner: z.string(),
    nodes: z.array(z.object({ node: z.string(), upstream: z.record(z.string(), z.string()) })),
  }),
  output: z.null(),
});

/** Writes what the rounds of a loop over items have made as outputs of the loop. */
export const gatherOutputs = activity("gatherOutputs", {
  input: z.object({
    runId: z.string(),
    node: z.string(),
    /** Of each item: output of the body -> URI. */
    rounds: z.array(z.record(z.string(), z.string())),
  }),
  output: z.union([
    z.object({ outputs: z.record(z.string(), z.string()) }),
    /** A value that cannot be read. */
    z.object({ reason: z.string() }),
  ]),
});

/** Judges the run's model by every rule, or names the nodes that have to score the champion before that can be done. */
export const judgeModel = activity("judgeModel", {
  input: ControlNode,
  output: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("unscored"), promotion: Promotion, nodes: z.array(ChampionNode) }),
    z.object({
      kind: z.literal("judged"),
      promotion: Promotion,
      /** Whether the model may have the stage, as far as rules say. */
      isPassed: z.boolean(),
      /** The champion's version that a rule has compared with, null for none; absent when no rule asks for it. */
      compared: z.string().nullable().optional(),
    }),
  ]),
});

/** Starts nodes once more, on the champion's model; one that exists already is left alone. */
export const startChampions = activity("startChampions", {
  input: ControlNode.extend({ nodes: z.array(ChampionNode) }),
  output: z.null(),
});

/** Tells webhooks that somebody is asked whether a model is approved. */
export const requestApproval = activity("requestApproval", {
  input: z.object({ runId: z.string(), node: z.string(), question: z.string(), time: z.string() }),
  output: z.null(),
  retry: briefly,
});

/** The answer, or null while there is none; with `closing` there always is one: what comes after it is too late. */
export const readApproval = activity("readApproval", {
  input: z.object({ runId: z.string(), closing: ApprovalAnswer.optional() }),
  output: ApprovalAnswer.nullable(),
});

/** Registers the model, or finds it registered, and moves the stage to it. Done twice, it is done once. */
export const registerModel = activity("registerModel", {
  input: ControlNode.extend({
    promotion: Promotion,
    /** See `judgeModel`. */
    compared: z.string().nullable().optional(),
  }),
  output: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("promoted"), version: z.string() }),
    z.object({ kind: z.literal("already-promoted"), version: z.string() }),
    /** Another model has become the champion meanwhile: the rules have to be judged again. */
    z.object({ kind: z.literal("moved") }),
    /** The workspace will not take it. */
    z.object({ kind: z.literal("refused"), reason: z.string() }),
  ]),
});

/** Sends a signal to the orchestrations of nodes; one that has ended or never began is passed over. */
export const signalNodes = activity("signalNodes", {
  input: z.object({ runId: z.string(), nodes: z.array(z.string()), signal: NodeSignal }),
  output: z.null(),
});

/** Results of those of the named nodes whose orchestrations have ended, however they ended. */
export const checkNodes = activity("checkNodes", {
  input: z.object({ runId: z.string(), nodes: z.array(z.string()) }),
  output: z.array(NodeResult),
});

/** One try to hand a message to a webhook. */
export const sendNotification = activity("sendNotification", {
  input: z.object({ webhook: z.string(), message: Message }),
  output: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("delivered"), status: z.number() }),
    z.object({ kind: z.literal("failed"), reason: z.string(), retryAfterSeconds: z.number().optional() }),
    z.object({ kind: z.literal("refused"), reason: z.string() }),
    /** The webhook is not registered, or switched off. */
    z.object({ kind: z.literal("gone") }),
  ]),
});
export type SendAnswer = z.infer<typeof sendNotification.output>;

/** Puts a message that is given up among the webhook's dead letters. */
export const buryNotification = activity("buryNotification", {
  input: z.object({ webhook: z.string(), message: Message, attempts: z.number().int(), reason: z.string() }),
  output: z.null(),
});

/** Tells webhooks that a run has ended. */
export const notifyRunEnd = activity("notifyRunEnd", {
  input: z.object({
    runId: z.string(),
    status: z.enum(["completed", "failed", "canceled"]),
    failure: z.object({ node: z.string().optional(), reason: z.string() }).optional(),
    time: z.string(),
  }),
  output: z.null(),
  retry: briefly,
});

/** Looks at the files of a dataset's version and does what is due: starts its run, notes that it came too late, or waits on. */
export const advanceDataset = activity("advanceDataset", {
  input: z.object({ dataset: z.string(), version: z.string() }),
  output: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("done") }),
    z.object({ kind: z.literal("arrived"), runId: z.string().optional() }),
    z.object({
      kind: z.literal("waiting"),
      /** In words. */
      missing: z.array(z.string()),
      files: z.number().int(),
      /** ISO 8601: when time alone would change the answer. */
      until: z.string(),
    }),
  ]),
});
