// Paints layers onto a small grey picture, one over the other. Coordinates run from -1 to 1, y downwards.

export interface Layer {
  /** Distance to the edge, negative inside. Near the edge it must be about right: it gives the soft border. */
  distance: (x: number, y: number) => number;
  /** Brightness from 0 (background: cuts a hole) to 1. */
  tone: number;
}

/** Where a picture's point lies on the garment, and how its cloth changes the brightness there. */
export interface Cloth {
  scaleX: number;
  scaleY: number;
  turn: number;
  shiftX: number;
  shiftY: number;
  /** Factor of the brightness at a point of the garment. */
  weave: (x: number, y: number) => number;
  /** Added to every painted pixel, called once for each. */
  grain: () => number;
}

export function ellipse(x: number, y: number, width: number, height: number, tone: number): Layer {
  const reach = Math.min(width, height);
  return {
    tone,
    distance: (px, py) => (Math.hypot((px - x) / width, (py - y) / height) - 1) * reach,
  };
}

/** From (x1, y1) to (x2, y2), `r1` thick at the first and `r2` at the second (radii). */
export function limb(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  [r1, r2]: readonly [number, number],
  tone: number,
): Layer {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  return {
    tone,
    distance: (px, py) => {
      const along = Math.min(1, Math.max(0, ((px - x1) * dx + (py - y1) * dy) / length));
      return Math.hypot(px - x1 - along * dx, py - y1 - along * dy) - (r1 + (r2 - r1) * along);
    },
  };
}

/** Upright piece of cloth: at height `y[i]` it is centred on `x[i]` and `half[i]` wide to each side, straight in between. */
export function panel(
  y: readonly [number, number],
  half: readonly [number, number],
  tone: number,
  x: readonly [number, number] = [0, 0],
): Layer {
  const height = y[1] - y[0];
  return {
    tone,
    distance: (px, py) => {
      const down = Math.min(1, Math.max(0, (py - y[0]) / height));
      const side = Math.abs(px - x[0] - (x[1] - x[0]) * down) - half[0] - (half[1] - half[0]) * down;
      return Math.max(side, y[0] - py, py - y[1]);
    },
  };
}

/** Paints `layers` in order into `side * side` bytes of `pixels` from `offset` on; what no layer covers is 0. */
export function drawLayers(
  pixels: Uint8Array,
  offset: number,
  side: number,
  layers: readonly Layer[],
  cloth: Cloth,
): void {
  const [cos, sin] = [Math.cos(cloth.turn), Math.sin(cloth.turn)];
  const pixelsPerUnit = side / 2;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const left = (column + 0.5) / pixelsPerUnit - 1 - cloth.shiftX;
      const down = (row + 0.5) / pixelsPerUnit - 1 - cloth.shiftY;
      const x = (left * cos + down * sin) / cloth.scaleX;
      const y = (down * cos - left * sin) / cloth.scaleY;
      let tone = 0;
      for (const layer of layers) {
        const cover = 0.5 - layer.distance(x, y) * pixelsPerUnit;
        if (cover > 0) tone += (layer.tone - tone) * Math.min(1, cover);
      }
      if (tone > 0.02) tone = tone * cloth.weave(x, y) + cloth.grain();
      pixels[offset + row * side + column] = Math.min(255, Math.max(0, Math.round(tone * 255)));
    }
  }
}
