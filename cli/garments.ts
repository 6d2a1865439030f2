// Garment look-alikes in the files and the format of Fashion-MNIST, for a machine that cannot or need not download it.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { drawLayers } from "./draw-layers.ts";
import { garments } from "./garment-shapes.ts";
import { createRandom } from "./random.ts";
import type { Random } from "./random.ts";

const side = 28;
const compress = promisify(gzip);

/** Names of the ten classes; a label is an index into it. */
export const classNames: readonly string[] = garments.map((garment) => garment.name);

export interface GarmentSet {
  /** Created when it does not exist; files of the same names in it are replaced. */
  folder: string;
  trainCount: number;
  testCount: number;
  seed: number;
}

/**
 * Draws labelled pictures, 28 x 28 grey bytes each, and writes the four gzipped idx files. Equal arguments give equal
 * pictures. Each ten that follow one another hold every class once.
 * @see http://yann.lecun.com/exdb/mnist/ for the idx format.
 */
export async function drawGarments({ folder, trainCount, testCount, seed }: GarmentSet): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Test pictures take other seeds than any training set of up to ten million.
  await writeSet(folder, "train", trainCount, seed * 20_000_003);
  await writeSet(folder, "t10k", testCount, seed * 20_000_003 + 10_000_000);
}

async function writeSet(folder: string, prefix: string, count: number, seed: number): Promise<void> {
  const images = new Uint8Array(count * side * side);
  const labels = drawLabels(count, createRandom(seed - 1));
  labels.forEach((label, index) => drawGarment(images, index, label, createRandom(seed + index)));
  const write = async (name: string, dimensions: readonly number[], data: Uint8Array): Promise<void> => {
    const packed = await compress(Buffer.concat([toIdxHeader(dimensions), data]), { level: 1 });
    await writeFile(join(folder, `${prefix}-${name}.gz`), packed);
  };
  await write("images-idx3-ubyte", [count, side, side], images);
  await write("labels-idx1-ubyte", [count], labels);
}

/** Two zero bytes, 8 for unsigned bytes, the number of dimensions, then each as a big-endian 32-bit integer. */
function toIdxHeader(dimensions: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt8(8, 2);
  header.writeUInt8(dimensions.length, 3);
  dimensions.forEach((size, index) => header.writeUInt32BE(size, 4 + 4 * index));
  return header;
}

function drawLabels(count: number, random: Random): Uint8Array {
  const labels = new Uint8Array(count);
  let left: number[] = [];
  for (let index = 0; index < count; index++) {
    if (left.length === 0) left = garments.map((_, label) => label);
    const [label = 0] = left.splice(Math.floor(random.between(0, left.length)), 1);
    labels[index] = label;
  }
  return labels;
}

function drawGarment(images: Uint8Array, index: number, label: number, random: Random): void {
  const garment = garments[label];
  if (garment === undefined) throw new RangeError(`No garment has label ${label}`);
  const tone = random.between(0.35, 0.95);
  const layers = garment.draw(random, tone);
  const size = random.between(0.88, 1.06);
  const noise = random.between(0.02, 0.09);
  drawLayers(images, index * side * side, side, layers, {
    scaleX: size * random.between(0.9, 1.1),
    scaleY: size * random.between(0.95, 1.05),
    turn: random.normal() * 0.05,
    shiftX: random.normal() * 0.05,
    shiftY: random.normal() * 0.04,
    weave: drawWeave(random),
    grain: () => random.normal() * noise,
  });
}

/** Light from one side, folds, and for some cloths stripes or checks. */
function drawWeave(random: Random): (x: number, y: number) => number {
  const light = random.between(-0.2, 0.2);
  const fold = random.between(0, 0.14);
  const [foldX, foldY, phase] = [random.between(2, 7), random.between(-3, 3), random.between(0, 6)];
  const [pitchX, pitchY] = [random.between(8, 22), random.between(8, 22)];
  const across = random.chance(0.22) ? random.between(0.1, 0.4) : 0;
  const down = random.chance(0.15) ? random.between(0.1, 0.4) : 0;
  return (x, y) =>
    1 +
    light * x +
    fold * Math.sin(foldX * x + foldY * y + phase) +
    across * Math.sin(pitchY * y) +
    down * Math.sin(pitchX * x);
}
