// What a plan will take and cost, from what its nodes took before. The run is played some hundred times: each job takes as long as
// one of its earlier ones, drawn by chance, and begins when all that it reads from has ended and the limits on jobs leave it a
// place. What is not known is left out and said; nothing is invented.
import type { Concurrency } from "../concurrency.ts";
import { graphOf, type Plan, type PlanBody, type PlanNode } from "../plan.ts";
import { jobNeeds } from "../slot-needs.ts";
import { seededRandom } from "../seeded-random.ts";
import type { Needs } from "../slots.ts";
import { gridSize } from "../sweep/sample-trial.ts";
import { type Duration, rangeOf } from "./durations.ts";
import type { NodeForecast, RunForecast } from "./forecast.ts";
import { costOf, toUsd } from "./money.ts";
import { describeMachine, machineOf, priceOf, type Prices } from "./prices.ts";

export interface ForecastInput {
  readonly plan: Plan;
  /** Nodes that would run; the others cost nothing. */
  readonly running: ReadonlySet<string>;
  /** Node of the plan -> its completed jobs. */
  readonly history: ReadonlyMap<string, readonly Duration[]>;
  readonly prices: Prices;
  /** Limits for all runs together. */
  readonly concurrency: Concurrency;
}

/** One time that a node is played. */
interface Play {
  readonly seconds: number;
  readonly micros: number;
}

type Draw = () => Play;

const nothing: Play = { seconds: 0, micros: 0 };
/** Plays of jobs, all runs together: what an answer may take of a processor. */
const mostPlays = 100_000;

export function forecastPlan(input: ForecastInput): { nodes: Map<string, NodeForecast>; run: RunForecast } {
  const { plan, running, prices, concurrency } = input;
  // A plan that is asked twice says the same.
  const random = seededRandom(1);
  const notes = new Map<string, string[]>();
  const note = (what: string, node: string) => notes.set(what, [...(notes.get(what) ?? []), node]);
  const forecasts = new Map<string, NodeForecast>();
  const draws = new Map<string, Draw>();
  let jobs = 0;

  for (const node of plan.nodes) {
    if (!running.has(node.name)) continue;
    const known = prepare(node);
    draws.set(node.name, known.draw);
    if (known.forecast !== undefined) forecasts.set(node.name, known.forecast);
  }

  const rounds = Math.max(20, Math.min(500, Math.floor(mostPlays / Math.max(1, jobs))));
  const graph = graphOf(plan).nodes;
  const needs = new Map(
    plan.nodes.map((node) => [node.name, jobNeeds(concurrency, plan, node.resources.instanceTypes[0])]),
  );
  const plays = new Map([...draws].map(([name]) => [name, [] as Play[]]));
  const ends: Play[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const drawn = new Map([...draws].map(([name, draw]) => [name, draw()]));
    for (const [name, play] of drawn) plays.get(name)?.push(play);
    const micros = [...drawn.values()].reduce((sum, play) => sum + play.micros, 0);
    ends.push({ seconds: walk(graph, drawn, needs), micros });
  }
  for (const [name, forecast] of forecasts) forecasts.set(name, withRanges(forecast, plays.get(name) ?? []));
  if (plan.nodes.some(({ when }) => when !== undefined)) note("conditions: both of their blocks are counted", "");
  return { nodes: forecasts, run: toRunForecast() };

  /** How a node is played, and what is known of it. */
  function prepare(node: PlanNode): { draw: Draw; forecast?: NodeForecast } {
    if (node.promotion?.approval !== undefined) note("the wait for an approval", "");
    if (node.loop !== undefined) return prepareLoop(node, node.loop);
    if (node.kind !== "command" && node.kind !== "sweep") return { draw: () => nothing };
    const { draw, forecast } = prepareJob(node);
    if (node.sweep === undefined) return { draw, forecast };
    const { limits, sampling } = node.sweep;
    const { maxTotalTrials, maxConcurrentTrials } = limits;
    const trials = Math.min(maxTotalTrials, sampling.type === "grid" ? gridSize(node.sweep) : Infinity);
    jobs += trials - 1;
    const atOnce = Math.min(maxConcurrentTrials, concurrency.maxJobs ?? Infinity);
    const worst = limitsOf(limits.timeoutSeconds, maxConcurrentTrials * dearest(node));
    const { queuedSeconds: _queued, preparingSeconds: _preparing, worst: _one, ...rest } = forecast;
    return {
      draw: () => inTurns(trials, atOnce, draw),
      forecast: { ...rest, ...(worst === undefined ? {} : { worst }) },
    };
  }

  function prepareJob(node: PlanNode): { draw: Draw; forecast: NodeForecast } {
    jobs += 1;
    const { sizes, samples } = samplesOf(node);
    const machine = machineOf(node, sizes);
    const price = priceOf(prices, machine);
    const worstRate = dearest(node);
    const worst = limitsOf(node.policy?.limits?.nodeSeconds ?? node.timeoutSeconds, worstRate);
    const common = { samples: samples.length, ...(worst === undefined ? {} : { worst }) };
    if (price === undefined) note(`no price of ${describeMachine(machine)}`, node.name);
    if (samples.length === 0) {
      note("never completed before, so nothing is known", node.name);
      return { draw: () => nothing, forecast: { ...common, isAtLeast: true } };
    }
    const rate = (price ?? 0) * node.resources.instanceCount;
    const draw = () => {
      const { queued, machine: seconds } = samples[Math.floor(random() * samples.length)] ?? { queued: 0, machine: 0 };
      return { seconds: queued + seconds, micros: costOf(rate, seconds) };
    };
    const queuedSeconds = rangeOf(samples.map(({ queued }) => queued));
    const preparingSeconds = rangeOf(samples.flatMap(({ preparing }) => preparing ?? []));
    return {
      draw,
      forecast: {
        ...common,
        ...(queuedSeconds === undefined ? {} : { queuedSeconds }),
        ...(preparingSeconds === undefined ? {} : { preparingSeconds }),
        ...(price === undefined ? { isAtLeast: true } : {}),
      },
    };
  }

  function prepareLoop(node: PlanNode, loop: NonNullable<PlanNode["loop"]>): { draw: Draw; forecast: NodeForecast } {
    const body = plan.bodies?.[node.name] ?? { nodes: [], outputs: {} };
    const inner = body.nodes.map((each) => [each.name, prepare(each)] as const);
    const isKnown = inner.every(([, { forecast }]) => forecast?.isAtLeast !== true);
    const draw = () => playBody(body, new Map(inner.map(([name, known]) => [name, known.draw()])));
    const samples = Math.min(...inner.flatMap(([, { forecast }]) => forecast?.samples ?? []), Infinity);
    const common = { samples: Number.isFinite(samples) ? samples : 0 };
    if (loop.kind === "parallel_for") {
      const items = loop.items?.length;
      if (items === undefined) note("items that are known when it starts; one is counted", node.name);
      const isAtLeast = items === undefined || !isKnown;
      jobs += inner.length * Math.max(0, (items ?? 1) - 1);
      const atOnce = loop.maxConcurrency ?? Infinity;
      return {
        draw: () => inTurns(items ?? 1, atOnce, draw),
        forecast: { ...common, ...(isAtLeast ? { isAtLeast } : {}) },
      };
    }
    const isOnce = loop.maxIterations === 1;
    if (!isOnce) note("rounds that its outputs decide on; one is counted", node.name);
    return { draw, forecast: { ...common, ...(isOnce && isKnown ? {} : { isAtLeast: true }) } };
  }

  /** The jobs on the first of the node's sizes on which there were any. */
  function samplesOf(node: PlanNode): { sizes: string | undefined; samples: readonly Duration[] } {
    const { instanceTypes } = node.resources;
    const all = (input.history.get(node.name) ?? []).filter(({ component }) => component === node.component.name);
    for (const size of instanceTypes.length === 0 ? [undefined] : instanceTypes) {
      const { name } = machineOf(node, size);
      const samples = all.filter((each) => each.size?.toLowerCase() === name?.toLowerCase());
      if (samples.length > 0) return { sizes: size, samples };
    }
    return { sizes: instanceTypes[0], samples: [] };
  }

  /** Millionths an hour on the dearest of a node's sizes; undefined when one has no price. */
  function dearest(node: PlanNode): number {
    const { instanceTypes, instanceCount } = node.resources;
    const sizes = instanceTypes.length === 0 ? [undefined] : instanceTypes;
    const rates = sizes.map((size) => priceOf(prices, machineOf(node, size)) ?? NaN);
    return Math.max(...rates) * instanceCount;
  }

  function toRunForecast(): RunForecast {
    const [seconds, micros] = [rangeOf(ends.map((end) => end.seconds)), rangeOf(ends.map((end) => end.micros))];
    const cost = { p50: toUsd(Math.round(micros?.p50 ?? 0)), p90: toUsd(Math.round(micros?.p90 ?? 0)) };
    const worst = worstOf();
    const { maxCost } = plan.settings;
    return {
      seconds: seconds ?? { p50: 0, p90: 0 },
      cost,
      isAtLeast: [...forecasts.values()].some(({ isAtLeast }) => isAtLeast === true),
      notes: [...notes].map(([what, nodes]) => describeNote(what, nodes)),
      ...(worst === undefined ? {} : { worst }),
      ...(maxCost === undefined ? {} : { maxCost }),
    };
  }

  /** What the limits of all nodes, the run's own and its cap leave together. */
  function worstOf(): RunForecast["worst"] {
    const all = [...forecasts.values()].map(({ worst }) => worst);
    const isLimited = (key: "seconds" | "cost") => all.every((each) => each?.[key] !== undefined);
    const { timeoutSeconds, maxCost } = plan.settings;
    const longest = new Map(
      [...forecasts].map(([name, { worst }]) => [name, { seconds: worst?.seconds ?? 0, micros: 0 }]),
    );
    const seconds = Math.min(isLimited("seconds") ? walk(graph, longest, needs) : Infinity, timeoutSeconds ?? Infinity);
    const sum = isLimited("cost") ? all.reduce((total, each) => total + (each?.cost ?? 0), 0) : Infinity;
    const cost = Math.min(sum, maxCost ?? Infinity);
    if (forecasts.size === 0 || (seconds === Infinity && cost === Infinity)) return undefined;
    return { ...(seconds === Infinity ? {} : { seconds }), ...(cost === Infinity ? {} : { cost }) };
  }
}

function describeNote(what: string, nodes: readonly string[]): string {
  const named = nodes.filter((node) => node !== "");
  if (named.length === 0) return what;
  const shown = named.slice(0, 5).join(", ");
  return `${shown}${named.length > 5 ? ` and ${named.length - 5} more` : ""}: ${what}`;
}

function limitsOf(seconds: number | undefined, rate: number): NodeForecast["worst"] {
  if (seconds === undefined) return undefined;
  return { seconds, ...(Number.isNaN(rate) ? {} : { cost: toUsd(costOf(rate, seconds)) }) };
}

function withRanges(forecast: NodeForecast, plays: readonly Play[]): NodeForecast {
  if (forecast.samples === 0) return forecast;
  const seconds = rangeOf(plays.map((play) => play.seconds));
  const micros = rangeOf(plays.map((play) => play.micros));
  return {
    ...forecast,
    ...(seconds === undefined ? {} : { seconds }),
    ...(micros === undefined
      ? {}
      : { cost: { p50: toUsd(Math.round(micros.p50)), p90: toUsd(Math.round(micros.p90)) } }),
  };
}

/** So many plays, so many of them at once: as soon as one ends, the next begins. */
function inTurns(count: number, atOnce: number, draw: Draw): Play {
  if (atOnce >= count) {
    const all = Array.from({ length: count }, draw);
    const seconds = all.reduce((longest, play) => Math.max(longest, play.seconds), 0);
    return { seconds, micros: all.reduce((sum, play) => sum + play.micros, 0) };
  }
  const free = Array.from({ length: Math.min(count, atOnce) }, () => 0);
  let micros = 0;
  for (let index = 0; index < count; index += 1) {
    const play = draw();
    const next = free.indexOf(Math.min(...free));
    free[next] = (free[next] ?? 0) + play.seconds;
    micros += play.micros;
  }
  return { seconds: Math.max(0, ...free), micros };
}

/** A round of a loop: its nodes one after the other as they read from each other. */
function playBody({ nodes }: PlanBody, drawn: ReadonlyMap<string, Play>): Play {
  const ends = new Map<string, number>();
  let [seconds, micros] = [0, 0];
  for (const node of nodes) {
    const play = drawn.get(node.name) ?? nothing;
    const read = Object.values(node.inputs).flatMap((input) =>
      input.kind === "output" ? [ends.get(input.node) ?? 0] : [],
    );
    const end = Math.max(0, ...read) + play.seconds;
    ends.set(node.name, end);
    seconds = Math.max(seconds, end);
    micros += play.micros;
  }
  return { seconds, micros };
}

interface GraphNode {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** Seconds from the start of a run to its end. @param needs what a node needs one of, and how many there are */
function walk(
  graph: readonly GraphNode[],
  drawn: ReadonlyMap<string, Play>,
  needs: ReadonlyMap<string, Needs>,
): number {
  const ends = new Map<string, number>();
  /** What is limited -> when each of its places is free. */
  const places = new Map<string, number[]>();
  let last = 0;
  // In plan order a node comes after all that it depends on.
  for (const { name, dependsOn } of graph) {
    const { seconds } = drawn.get(name) ?? nothing;
    let start = Math.max(0, ...dependsOn.map((node) => ends.get(node) ?? 0));
    const needed = seconds === 0 ? [] : Object.entries(needs.get(name) ?? {});
    const taken = needed.map(([need, most]) => {
      const free = places.get(need) ?? Array.from({ length: most }, () => 0);
      places.set(need, free);
      return free;
    });
    for (const free of taken) start = Math.max(start, Math.min(...free));
    for (const free of taken) free[free.indexOf(Math.min(...free))] = start + seconds;
    ends.set(name, start + seconds);
    last = Math.max(last, start + seconds);
  }
  return last;
}
