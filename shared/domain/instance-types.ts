// The sizes of machine that training and preparing data usually ask for. Prices are pay-as-you-go, Linux, East US, in
// US dollars an hour, and only good for an estimate; sources: Azure's size pages and public price tables of 2025.

export interface InstanceType {
  readonly vcpus: number;
  readonly memoryGiB: number;
  readonly gpu?: { readonly name: string; readonly count: number; readonly memoryGiB: number };
  readonly usdPerHour: number;
  /** ISO date after which Azure gives none any more. */
  readonly retiredOn?: string;
  /** What comes nearest to a retired size, to be tried in order. */
  readonly fallbacks?: readonly string[];
}

const v100 = { name: "V100", memoryGiB: 16 } as const;
const t4 = { name: "T4", memoryGiB: 16 } as const;
const a100 = { name: "A100", memoryGiB: 80 } as const;
const h100 = { name: "H100", memoryGiB: 94 } as const;
const v100RetiredOn = "2025-09-30";

export const instanceTypes: Readonly<Record<string, InstanceType>> = {
  Standard_DS2_v2: { vcpus: 2, memoryGiB: 7, usdPerHour: 0.15 },
  Standard_DS3_v2: { vcpus: 4, memoryGiB: 14, usdPerHour: 0.29 },
  Standard_DS4_v2: { vcpus: 8, memoryGiB: 28, usdPerHour: 0.58 },
  Standard_DS5_v2: { vcpus: 16, memoryGiB: 56, usdPerHour: 1.17 },
  Standard_D2s_v5: { vcpus: 2, memoryGiB: 8, usdPerHour: 0.1 },
  Standard_D4s_v5: { vcpus: 4, memoryGiB: 16, usdPerHour: 0.19 },
  Standard_D8s_v5: { vcpus: 8, memoryGiB: 32, usdPerHour: 0.38 },
  Standard_D16s_v5: { vcpus: 16, memoryGiB: 64, usdPerHour: 0.77 },
  Standard_E4s_v3: { vcpus: 4, memoryGiB: 32, usdPerHour: 0.25 },
  Standard_E8s_v3: { vcpus: 8, memoryGiB: 64, usdPerHour: 0.5 },
  Standard_F4s_v2: { vcpus: 4, memoryGiB: 8, usdPerHour: 0.17 },
  Standard_F8s_v2: { vcpus: 8, memoryGiB: 16, usdPerHour: 0.34 },

  Standard_NC6s_v3: {
    vcpus: 6,
    memoryGiB: 112,
    gpu: { ...v100, count: 1 },
    usdPerHour: 3.06,
    retiredOn: v100RetiredOn,
    fallbacks: ["Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4"],
  },
  Standard_NC12s_v3: {
    vcpus: 12,
    memoryGiB: 224,
    gpu: { ...v100, count: 2 },
    usdPerHour: 6.12,
    retiredOn: v100RetiredOn,
    fallbacks: ["Standard_NC24ads_A100_v4", "Standard_NC64as_T4_v3"],
  },
  Standard_NC24s_v3: {
    vcpus: 24,
    memoryGiB: 448,
    gpu: { ...v100, count: 4 },
    usdPerHour: 12.24,
    retiredOn: v100RetiredOn,
    fallbacks: ["Standard_NC48ads_A100_v4", "Standard_NC64as_T4_v3"],
  },
  Standard_NC24rs_v3: {
    vcpus: 24,
    memoryGiB: 448,
    gpu: { ...v100, count: 4 },
    usdPerHour: 13.46,
    retiredOn: "2025-03-31",
    fallbacks: ["Standard_NC48ads_A100_v4", "Standard_NC64as_T4_v3"],
  },

  Standard_NC4as_T4_v3: { vcpus: 4, memoryGiB: 28, gpu: { ...t4, count: 1 }, usdPerHour: 0.53 },
  Standard_NC8as_T4_v3: { vcpus: 8, memoryGiB: 56, gpu: { ...t4, count: 1 }, usdPerHour: 0.75 },
  Standard_NC16as_T4_v3: { vcpus: 16, memoryGiB: 110, gpu: { ...t4, count: 1 }, usdPerHour: 1.2 },
  Standard_NC64as_T4_v3: { vcpus: 64, memoryGiB: 440, gpu: { ...t4, count: 4 }, usdPerHour: 4.35 },
  Standard_NC24ads_A100_v4: { vcpus: 24, memoryGiB: 220, gpu: { ...a100, count: 1 }, usdPerHour: 3.67 },
  Standard_NC48ads_A100_v4: { vcpus: 48, memoryGiB: 440, gpu: { ...a100, count: 2 }, usdPerHour: 7.35 },
  Standard_NC96ads_A100_v4: { vcpus: 96, memoryGiB: 880, gpu: { ...a100, count: 4 }, usdPerHour: 14.69 },
  Standard_NC40ads_H100_v5: { vcpus: 40, memoryGiB: 320, gpu: { ...h100, count: 1 }, usdPerHour: 6.98 },
  Standard_NC80adis_H100_v5: { vcpus: 80, memoryGiB: 640, gpu: { ...h100, count: 2 }, usdPerHour: 13.96 },
};

const namesByLowerCase = new Map(Object.keys(instanceTypes).map((name) => [name.toLowerCase(), name]));

/** What is known of a size, in whatever letter case it is written. */
export function findInstanceType(name: string): InstanceType | undefined {
  return instanceTypes[namesByLowerCase.get(name.toLowerCase()) ?? ""];
}

/** The sizes to try in order: the one asked for, then the given fall-backs, or for a retired size the table's. */
export function sizesToTry(wanted: string | undefined, fallbacks: readonly string[] | undefined): string[] {
  const first = wanted === undefined ? [] : [wanted];
  const rest = fallbacks ?? (wanted === undefined ? [] : (findInstanceType(wanted)?.fallbacks ?? []));
  return [...new Set([...first, ...rest])];
}

/**
 * Sizes with more of the memory that was short, the cheapest first, at most two.
 *
 * @param size the one that was too small; one that is not in the table has no bigger one
 * @param memory which memory it was: a machine without a GPU never stands for one with
 */
export function biggerSizes(size: string | undefined, memory: "gpu" | "machine"): string[] {
  const small = size === undefined ? undefined : findInstanceType(size);
  if (small === undefined) return [];
  return Object.entries(instanceTypes)
    .filter(([, { retiredOn, gpu, memoryGiB, vcpus }]) => {
      if (retiredOn !== undefined || (gpu === undefined) !== (small.gpu === undefined)) return false;
      const isWider = (gpu?.memoryGiB ?? 0) > (small.gpu?.memoryGiB ?? 0);
      if (memory === "gpu") return isWider && memoryGiB >= small.memoryGiB;
      return (
        memoryGiB > small.memoryGiB && vcpus >= small.vcpus && (gpu?.memoryGiB ?? 0) >= (small.gpu?.memoryGiB ?? 0)
      );
    })
    .toSorted(([, a], [, b]) => a.usdPerHour - b.usdPerHour)
    .slice(0, 2)
    .map(([name]) => name);
}
