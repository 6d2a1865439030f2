import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { classNames, drawGarments } from "#cli/garments.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "garments-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const unpack = async (...path: string[]) => gunzipSync(await readFile(join(folder, ...path)));

/** Dimensions and data of an idx file of unsigned bytes. */
async function readIdx(...path: string[]): Promise<{ shape: number[]; data: Buffer }> {
  const content = await unpack(...path);
  expect([...content.subarray(0, 3)]).toEqual([0, 0, 8]);
  const dimensions = content.readUInt8(3);
  const shape = Array.from({ length: dimensions }, (_, index) => content.readUInt32BE(4 + 4 * index));
  return { shape, data: content.subarray(4 + 4 * dimensions) };
}

describe("drawn garments", () => {
  test("are the four gzipped idx files of Fashion-MNIST", async () => {
    await drawGarments({ folder: join(folder, "new"), trainCount: 25, testCount: 10, seed: 7 });
    const expected: Record<string, number[]> = {
      "train-images-idx3-ubyte.gz": [25, 28, 28],
      "train-labels-idx1-ubyte.gz": [25],
      "t10k-images-idx3-ubyte.gz": [10, 28, 28],
      "t10k-labels-idx1-ubyte.gz": [10],
    };
    expect((await readdir(join(folder, "new"))).toSorted()).toEqual(Object.keys(expected).toSorted());
    for (const [name, shape] of Object.entries(expected)) {
      const file = await readIdx("new", name);
      expect(file.shape).toEqual(shape);
      expect(file.data.length).toBe(shape.reduce((product, size) => product * size, 1));
    }
  });

  test("are the same for the same seed and others for another", async () => {
    const draw = async (name: string, seed: number) => {
      await drawGarments({ folder: join(folder, name), trainCount: 20, testCount: 10, seed });
      return unpack(name, "train-images-idx3-ubyte.gz");
    };
    const first = await draw("first", 1);
    expect((await draw("again", 1)).equals(first)).toBe(true);
    expect((await draw("other", 2)).equals(first)).toBe(false);
  });

  test("of a smaller set begin a larger one of the same seed", async () => {
    await drawGarments({ folder: join(folder, "small"), trainCount: 20, testCount: 10, seed: 1 });
    await drawGarments({ folder: join(folder, "large"), trainCount: 30, testCount: 10, seed: 1 });
    const small = await readIdx("small", "train-images-idx3-ubyte.gz");
    const large = await readIdx("large", "train-images-idx3-ubyte.gz");
    expect(large.data.subarray(0, small.data.length).equals(small.data)).toBe(true);
  });

  test("hold each class equally often and no test picture that was trained on", async () => {
    await drawGarments({ folder, trainCount: 200, testCount: 100, seed: 3 });
    const { data: labels } = await readIdx("train-labels-idx1-ubyte.gz");
    const counts = classNames.map((_, label) => labels.filter((found) => found === label).length);
    expect(counts).toEqual(Array.from({ length: 10 }, () => 20));
    const cut = ({ data }: { data: Buffer }) =>
      Array.from({ length: data.length / 784 }, (_, index) => data.toString("latin1", index * 784, (index + 1) * 784));
    const train = cut(await readIdx("train-images-idx3-ubyte.gz"));
    const trained = new Set(train);
    expect(trained.size).toBe(200);
    expect(cut(await readIdx("t10k-images-idx3-ubyte.gz")).filter((picture) => trained.has(picture))).toEqual([]);
  });

  test("stand on black and can be told apart by their outline", async () => {
    await drawGarments({ folder, trainCount: 600, testCount: 10, seed: 4 });
    const { data: images } = await readIdx("train-images-idx3-ubyte.gz");
    const { data: labels } = await readIdx("train-labels-idx1-ubyte.gz");
    const means = classNames.map((_, label) => {
      const sum = new Float64Array(784);
      let count = 0;
      for (let index = 0; index < 600; index++) {
        if (labels[index] !== label) continue;
        count++;
        for (let pixel = 0; pixel < 784; pixel++) sum[pixel] = (sum[pixel] ?? 0) + (images[index * 784 + pixel] ?? 0);
      }
      return sum.map((value) => value / count);
    });
    const apart = (left: number, right: number) => {
      let total = 0;
      for (let pixel = 0; pixel < 784; pixel++)
        total += Math.abs((means[left]?.[pixel] ?? 0) - (means[right]?.[pixel] ?? 0));
      return total / 784;
    };
    for (const mean of means) expect(mean[0]).toBeLessThan(5);
    // A trouser is nothing like a bag; a pullover is much like a coat, as in the original.
    expect(apart(1, 8)).toBeGreaterThan(30);
    expect(apart(2, 4)).toBeLessThan(apart(1, 8) / 2);
    for (let left = 0; left < 10; left++)
      for (let right = left + 1; right < 10; right++) expect(apart(left, right)).toBeGreaterThan(4);
  });
});
