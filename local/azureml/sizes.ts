// VM sizes this workspace knows; any other name is refused as the service refuses it.
// Figures: https://learn.microsoft.com/azure/virtual-machines/sizes

export interface VmSize {
  readonly name: string;
  readonly family: string;
  readonly vCPUs: number;
  readonly gpus: number;
  readonly memoryGB: number;
}

const rows: readonly (readonly [
  family: string,
  gpus: number,
  sizes: Readonly<Record<string, readonly [vCPUs: number, memoryGB: number]>>,
])[] = [
  [
    "standardDSv2Family",
    0,
    {
      Standard_DS1_v2: [1, 3.5],
      Standard_DS2_v2: [2, 7],
      Standard_DS3_v2: [4, 14],
      Standard_DS4_v2: [8, 28],
      Standard_DS5_v2: [16, 56],
      Standard_DS11_v2: [2, 14],
      Standard_DS12_v2: [4, 28],
      Standard_DS13_v2: [8, 56],
      Standard_DS14_v2: [16, 112],
    },
  ],
  ["standardDv2Family", 0, { Standard_D2_v2: [2, 7], Standard_D3_v2: [4, 14], Standard_D4_v2: [8, 28] }],
  [
    "standardDSv3Family",
    0,
    {
      Standard_D2s_v3: [2, 8],
      Standard_D4s_v3: [4, 16],
      Standard_D8s_v3: [8, 32],
      Standard_D16s_v3: [16, 64],
      Standard_D32s_v3: [32, 128],
    },
  ],
  [
    "standardDSv5Family",
    0,
    {
      Standard_D2s_v5: [2, 8],
      Standard_D4s_v5: [4, 16],
      Standard_D8s_v5: [8, 32],
      Standard_D16s_v5: [16, 64],
      Standard_D32s_v5: [32, 128],
      Standard_D64s_v5: [64, 256],
    },
  ],
  ["standardDADSv5Family", 0, { Standard_D2ads_v5: [2, 8], Standard_D4ads_v5: [4, 16], Standard_D8ads_v5: [8, 32] }],
  [
    "standardESv3Family",
    0,
    {
      Standard_E2s_v3: [2, 16],
      Standard_E4s_v3: [4, 32],
      Standard_E8s_v3: [8, 64],
      Standard_E16s_v3: [16, 128],
      Standard_E32s_v3: [32, 256],
    },
  ],
  ["standardEDSv4Family", 0, { Standard_E4ds_v4: [4, 32], Standard_E8ds_v4: [8, 64], Standard_E16ds_v4: [16, 128] }],
  ["standardESv5Family", 0, { Standard_E4s_v5: [4, 32], Standard_E8s_v5: [8, 64], Standard_E16s_v5: [16, 128] }],
  [
    "standardFSv2Family",
    0,
    {
      Standard_F2s_v2: [2, 4],
      Standard_F4s_v2: [4, 8],
      Standard_F8s_v2: [8, 16],
      Standard_F16s_v2: [16, 32],
      Standard_F32s_v2: [32, 64],
      Standard_F64s_v2: [64, 128],
      Standard_F72s_v2: [72, 144],
    },
  ],
  ["standardNCSv3Family", 1, { Standard_NC6s_v3: [6, 112] }],
  ["standardNCSv3Family", 2, { Standard_NC12s_v3: [12, 224] }],
  ["standardNCSv3Family", 4, { Standard_NC24s_v3: [24, 448] }],
  [
    "standardNCASv3_T4Family",
    1,
    {
      Standard_NC4as_T4_v3: [4, 28],
      Standard_NC8as_T4_v3: [8, 56],
      Standard_NC16as_T4_v3: [16, 110],
    },
  ],
  ["standardNCASv3_T4Family", 4, { Standard_NC64as_T4_v3: [64, 440] }],
  ["standardNCADSA100v4Family", 1, { Standard_NC24ads_A100_v4: [24, 220] }],
  ["standardNCADSA100v4Family", 2, { Standard_NC48ads_A100_v4: [48, 440] }],
  ["standardNCADSA100v4Family", 4, { Standard_NC96ads_A100_v4: [96, 880] }],
  ["standardNCadsH100v5Family", 1, { Standard_NC40ads_H100_v5: [40, 320] }],
  ["standardNCadsH100v5Family", 2, { Standard_NC80adis_H100_v5: [80, 640] }],
  ["standardNVADSA10v5Family", 1, { Standard_NV36ads_A10_v5: [36, 440] }],
  ["standardNDASv4_A100Family", 8, { Standard_ND96asr_v4: [96, 900] }],
  ["standardNDAMSv4_A100Family", 8, { Standard_ND96amsr_A100_v4: [96, 1924] }],
  ["standardNDSH100v5Family", 8, { Standard_ND96isr_H100_v5: [96, 1900] }],
];

export const vmSizes: readonly VmSize[] = rows.flatMap(([family, gpus, sizes]) =>
  Object.entries(sizes).map(([name, [vCPUs, memoryGB]]) => ({
    name,
    family,
    gpus,
    vCPUs,
    memoryGB,
  })),
);

const byName = new Map(vmSizes.map((size) => [size.name.toLowerCase(), size]));

/** Sizes are compared without regard to case, as ARM does. */
export function findVmSize(name: string): VmSize | undefined {
  return byName.get(name.toLowerCase());
}
