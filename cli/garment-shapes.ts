// What each garment looks like: layers with random proportions. Tops resemble each other on purpose, as they do in
// Fashion-MNIST: a shirt with short sleeves is a T-shirt but for its collar and buttons.
import { ellipse, limb, panel } from "./draw-layers.ts";
import type { Layer } from "./draw-layers.ts";
import type { Random } from "./random.ts";

type Draw = (random: Random, tone: number) => Layer[];

const bothSides = (draw: (side: -1 | 1) => Layer[]): Layer[] => [...draw(-1), ...draw(1)];

interface Top {
  /** Half widths at shoulder and hem, and the height of the hem. */
  shoulder: number;
  hem: number;
  bottom: number;
  /** How far the sleeve reaches: 0 none, 1 to the hem. */
  sleeve: number;
  cuff: number;
  neck: number;
}

function drawTop(random: Random, tone: number, top: Top): Layer[] {
  const [top_, shoulderY] = [-0.72, -0.6];
  const spread = random.between(0.16, 0.34);
  const reach = shoulderY + 0.12 + top.sleeve * (top.bottom - shoulderY - 0.15);
  const sleeves = bothSides((side) => {
    const hand = side * (top.shoulder + spread * (0.5 + top.sleeve / 2));
    return [limb([side * (top.shoulder - 0.12), shoulderY + 0.05], [hand, reach], [0.16, top.cuff], tone * 0.88)];
  });
  return [
    ...(top.sleeve > 0 ? sleeves : []),
    panel([top_, shoulderY + 0.1], [top.neck + 0.06, top.shoulder], tone),
    panel([shoulderY + 0.1, top.bottom], [top.shoulder, top.hem], tone),
    ellipse(0, top_, top.neck, random.between(0.08, 0.2), 0),
  ];
}

function drawButtons(random: Random, tone: number, bottom: number): Layer[] {
  const x = random.between(-0.04, 0.04);
  return [panel([-0.5, bottom], [0.025, 0.025], tone * random.between(0.45, 0.75), [x, x])];
}

const drawTShirt: Draw = (random, tone) => {
  const shoulder = random.between(0.4, 0.52);
  const bottom = random.between(0.6, 0.85);
  const print = random.chance(0.35)
    ? [
        ellipse(
          0,
          random.between(-0.2, 0.15),
          random.between(0.1, 0.25),
          random.between(0.1, 0.2),
          random.between(0.2, 1),
        ),
      ]
    : [];
  return [
    ...drawTop(random, tone, {
      shoulder,
      hem: shoulder * random.between(0.85, 1.05),
      bottom,
      sleeve: random.between(0.08, 0.3),
      cuff: random.between(0.12, 0.17),
      neck: random.between(0.14, 0.24),
    }),
    ...print,
  ];
};

const drawTrouser: Draw = (random, tone) => {
  const waist = random.between(0.22, 0.36);
  const ankle = random.between(0.1, 0.2);
  const apart = random.between(0.16, 0.34);
  const crotch = random.between(-0.4, -0.15);
  return [
    panel([-0.88, crotch], [waist, waist * 1.12], tone),
    ...bothSides((side) => [
      panel([crotch - 0.1, random.between(0.8, 0.92)], [waist * 0.55, ankle], tone, [
        side * waist * 0.56,
        side * apart,
      ]),
    ]),
    panel([-0.88, -0.8], [waist, waist], tone * random.between(0.6, 0.95)),
  ];
};

const drawPullover: Draw = (random, tone) => {
  const shoulder = random.between(0.42, 0.56);
  const bottom = random.between(0.55, 0.8);
  const hem = shoulder * random.between(0.88, 1);
  return [
    ...drawTop(random, tone, {
      shoulder,
      hem,
      bottom,
      sleeve: random.between(0.8, 1.02),
      cuff: random.between(0.09, 0.14),
      neck: random.between(0.12, 0.2),
    }),
    panel([bottom - 0.1, bottom], [hem, hem * 0.95], tone * random.between(0.7, 0.9)),
  ];
};

const drawDress: Draw = (random, tone) => {
  const waist = random.between(0.16, 0.26);
  const waistY = random.between(-0.3, 0);
  const chest = waist * random.between(1.1, 1.35);
  const bottom = random.between(0.75, 0.92);
  const sleeve = random.between(0.05, 0.6);
  const sleeves = bothSides((side) => [
    limb([side * chest * 0.8, -0.68], [side * (chest + 0.14), -0.68 + sleeve], [0.09, 0.07], tone * 0.9),
  ]);
  return [
    ...(random.chance(0.45) ? sleeves : []),
    panel([-0.86, waistY], [chest, waist], tone),
    panel([waistY, bottom], [waist, random.between(0.26, 0.52)], tone),
    ellipse(0, -0.88, chest * 0.6, random.between(0.1, 0.22), 0),
  ];
};

const drawCoat: Draw = (random, tone) => {
  const shoulder = random.between(0.42, 0.54);
  const bottom = random.between(0.72, 0.92);
  const lapel = random.between(0.1, 0.2);
  return [
    ...drawTop(random, tone, {
      shoulder,
      hem: shoulder * random.between(0.95, 1.15),
      bottom,
      sleeve: random.between(0.75, 0.92),
      cuff: random.between(0.11, 0.16),
      neck: random.between(0.1, 0.16),
    }),
    panel([-0.66, random.between(-0.3, 0.05)], [lapel, 0.02], tone * random.between(0.25, 0.6)),
    ...drawButtons(random, tone * 0.7, bottom),
  ];
};

const drawSandal: Draw = (random, tone) => {
  const heel = random.between(0, 0.4);
  const sole = random.between(0.05, 0.1);
  const toe: readonly [number, number] = [-0.8, 0.42];
  const back: readonly [number, number] = [0.75, 0.42 - heel];
  const straps = Math.floor(random.between(2, 5));
  const layers = [limb(toe, back, [sole, sole * 1.2], tone)];
  if (heel > 0.12) layers.push(limb(back, [random.between(0.6, 0.8), 0.45], [sole, sole * 0.8], tone));
  for (let strap = 0; strap < straps; strap++) {
    const at = (strap + random.between(0.3, 0.7)) / straps;
    const x = -0.65 + 1.35 * at;
    const y = 0.42 - heel * at;
    const rise = random.between(0.2, 0.3) + at * random.between(0.1, 0.35);
    const lean = random.between(-0.25, 0.35);
    layers.push(limb([x, y], [x + lean, y - rise], [0.045, 0.045], tone * random.between(0.7, 1)));
  }
  if (random.chance(0.6)) layers.push(limb([0.15, -0.05 - heel], [0.78, 0.05 - heel], [0.05, 0.05], tone * 0.9));
  return layers;
};

const drawShirt: Draw = (random, tone) => {
  const shoulder = random.between(0.4, 0.54);
  const bottom = random.between(0.6, 0.86);
  const short = random.chance(0.4);
  const collar = random.between(0.14, 0.22);
  return [
    ...drawTop(random, tone, {
      shoulder,
      hem: shoulder * random.between(0.85, 1.05),
      bottom,
      sleeve: short ? random.between(0.15, 0.38) : random.between(0.75, 0.98),
      cuff: random.between(0.09, 0.15),
      neck: random.between(0.08, 0.14),
    }),
    ...bothSides((side) => [
      limb([side * 0.05, -0.56], [side * collar, -0.74], [0.05, 0.06], Math.min(1, tone * random.between(1.05, 1.3))),
    ]),
    ...drawButtons(random, tone, bottom),
  ];
};

const drawSneaker: Draw = (random, tone) => {
  const collar = random.between(-0.3, -0.05);
  const toe = random.between(0.1, 0.2);
  const sole = random.between(0.05, 0.09);
  return [
    limb([-0.68, 0.3], [0.5, 0.15], [toe, 0.24], tone),
    panel([collar, 0.3], [random.between(0.2, 0.3), 0.36], tone, [0.56, 0.42]),
    ellipse(random.between(0.48, 0.6), collar - 0.02, random.between(0.14, 0.24), 0.08, 0),
    ellipse(-0.72, 0.32, 0.16, 0.14, Math.min(1, tone * random.between(0.6, 1.4))),
    limb([-0.3, 0.1], [random.between(-0.1, 0.1), 0.28], [0.035, 0.035], tone * random.between(0.3, 1.3)),
    limb([-0.78, 0.44], [0.76, 0.44], [sole, sole], random.between(0.5, 1)),
  ];
};

const drawBag: Draw = (random, tone) => {
  const half = random.between(0.5, 0.82);
  const top = random.between(-0.35, 0.05);
  const bottom = random.between(0.5, 0.8);
  const width = half * random.between(0.4, 0.75);
  const rise = random.between(0.2, 0.5);
  const thick = random.between(0.05, 0.1);
  const handle = random.chance(0.8)
    ? [ellipse(0, top, width, rise + thick, tone * random.between(0.6, 1)), ellipse(0, top, width - thick, rise, 0)]
    : [];
  const flap = random.chance(0.5)
    ? [
        panel(
          [top, top + (bottom - top) * random.between(0.3, 0.6)],
          [half * 0.95, half * 0.9],
          tone * random.between(0.7, 0.9),
        ),
      ]
    : [];
  return [
    ...handle,
    panel([top, bottom], [half * random.between(0.8, 1), half], tone),
    ...flap,
    ...(random.chance(0.4) ? [ellipse(0, (top + bottom) / 2, 0.08, 0.08, random.between(0.2, 1))] : []),
  ];
};

const drawAnkleBoot: Draw = (random, tone) => {
  const shaft = random.between(-0.85, -0.5);
  const wide = random.between(0.24, 0.34);
  const heel = random.between(0.04, 0.26);
  const ground = 0.62;
  return [
    limb([-0.62, ground - 0.16], [0.4, ground - 0.26 - heel / 2], [random.between(0.12, 0.17), 0.24], tone),
    panel([shaft, ground - 0.1 - heel / 2], [wide, wide * 1.1], tone, [0.42, 0.38]),
    panel([ground - 0.14 - heel, ground + 0.05], [0.2, random.between(0.08, 0.18)], tone * 0.75, [0.52, 0.55]),
    limb([-0.68, ground], [0.2, ground - heel * 0.5], [0.05, 0.05], tone * random.between(0.4, 0.8)),
    ...(random.chance(0.4) ? [panel([shaft, 0.1], [0.03, 0.03], tone * 0.5, [0.35, 0.3])] : []),
  ];
};

/** In the order of Fashion-MNIST's labels. */
export const garments: readonly { name: string; draw: Draw }[] = [
  { name: "T-shirt", draw: drawTShirt },
  { name: "trouser", draw: drawTrouser },
  { name: "pullover", draw: drawPullover },
  { name: "dress", draw: drawDress },
  { name: "coat", draw: drawCoat },
  { name: "sandal", draw: drawSandal },
  { name: "shirt", draw: drawShirt },
  { name: "sneaker", draw: drawSneaker },
  { name: "bag", draw: drawBag },
  { name: "ankle boot", draw: drawAnkleBoot },
];
