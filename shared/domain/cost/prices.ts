// What an hour of a machine costs, by size, dedicated and spot. The shipped prices are those of instance-types.ts; the app's
// setting MLPIPE_PRICES says otherwise where a contract, a region or a cluster of one's own does.
import { z } from "zod";
import { instanceTypes } from "../instance-types.ts";
import type { PlanNode } from "../plan.ts";
import { mostUsd, toMicros } from "./money.ts";

/** Key of the price that a size of the service's own choice is taken to have; none is shipped. */
const servicesChoice = "serverless";

/** US dollars an hour. */
interface Price {
  readonly dedicated: number;
  readonly spot: number;
}

/** By size, or by the name of a compute, in lower case. */
export type Prices = ReadonlyMap<string, Price>;

/** Which machine is asked for, as far as its price depends on it. */
export interface Machine {
  /** Size; where none is named, the compute's name; where that is none either, the service chooses. */
  readonly name: string | undefined;
  readonly isSpot: boolean;
}

/**
 * What a spot machine costs of a dedicated one. Spot prices move by the hour and by region, mostly 60 to 80 percent below; this is
 * their dear end, so that a cap which is kept by it is kept.
 */
const spotShare = 0.4;

const Usd = z.number("expected US dollars an hour, such as 0.53").min(0, "a price is not below 0").max(mostUsd);
const Given = z.union([
  Usd,
  z.strictObject({ dedicated: Usd, spot: Usd.optional() }, "expected {dedicated, spot} in US dollars an hour"),
]);

const shipped: Prices = new Map(
  Object.entries(instanceTypes).map(([name, { usdPerHour }]) => [name.toLowerCase(), toPrice(usdPerHour)]),
);

function toPrice(given: z.infer<typeof Given>): Price {
  const { dedicated, spot = dedicated * spotShare } = typeof given === "number" ? { dedicated: given } : given;
  return { dedicated, spot };
}

/**
 * The shipped prices with those of a setting over them: `{"Standard_D4s_v5": 0.17, "my-cluster": {"dedicated": 2, "spot": 0.5}}`.
 *
 * @param text JSON; undefined when nothing is set
 * @throws Error that says which entry is wrong, and how one is written
 */
export function readPrices(text: string | undefined): Prices {
  if (text === undefined) return shipped;
  const example = 'a JSON object such as {"Standard_D4s_v5": 0.17, "my-cluster": {"dedicated": 2, "spot": 0.5}}';
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new Error(`is not ${example}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new Error(`is not ${example}`);
  const wrong: string[] = [];
  const own = Object.entries(given).flatMap(([name, value]): [string, Price][] => {
    const read = Given.safeParse(value);
    if (read.success) return [[name.toLowerCase(), toPrice(read.data)]];
    const shape = "expected US dollars an hour, from 0, or {dedicated, spot}";
    wrong.push(`${name}: ${shape}, got ${JSON.stringify(value)?.slice(0, 80)}`);
    return [];
  });
  if (wrong.length > 0) throw new Error(`has wrong prices: ${wrong.join("; ")}`);
  return new Map([...shipped, ...own]);
}

/** Millionths of a dollar that an hour of one such machine costs; undefined when nobody has said. */
export function priceOf(prices: Prices, { name, isSpot }: Machine): number | undefined {
  const price = prices.get((name ?? servicesChoice).toLowerCase());
  return price === undefined ? undefined : toMicros(isSpot ? price.spot : price.dedicated);
}

/** The machine on which a node runs when it gets `instanceType`. @param isDedicated spot machines were taken away too often */
export function machineOf(
  { compute, queueSettings }: Pick<PlanNode, "compute" | "queueSettings">,
  instanceType: string | undefined,
  isDedicated = false,
): Machine {
  const tier = queueSettings?.job_tier;
  const isSpot = typeof tier === "string" && tier.toLowerCase() === "spot" && !isDedicated;
  return { name: instanceType ?? computeName(compute), isSpot };
}

/** `azureml:serverless` is no machine. */
function computeName(compute: string | undefined): string | undefined {
  const name = compute?.replace(/^azureml:/, "").replace(/^.*\/computes\//, "");
  return name === "serverless" ? undefined : name;
}

/** `Standard_D4s_v5`, `Standard_D4s_v5 on spot`, or that the service chooses. */
export function describeMachine({ name, isSpot }: Machine): string {
  return `${name ?? "a size that the service chooses"}${isSpot ? " on spot" : ""}`;
}
