import { expect, test } from "vitest";
import { endMarkerPath, outputFolder, parseEndMarkerPath } from "#shared/domain/layout.ts";

const place = { runId: "sharp_pipe_4gvqx6h1fb", node: "inner.train", attempt: 2 };

test("an end marker's path leads back to its attempt", () => {
  expect(parseEndMarkerPath(endMarkerPath(place))).toEqual(place);
});

test("an end marker lies in no output folder", () => {
  for (const output of ["model", "a", "ended"])
    expect(endMarkerPath(place).startsWith(outputFolder(place, output))).toBe(false);
});

test.each([
  "mlpipe/runs/r/n/1/model/.ended.json",
  "mlpipe/runs/r/n/x/.ended.json",
  "mlpipe/runs/r/n/1/.ended.json/x",
  "other/runs/r/n/1/.ended.json",
])("%s is no end marker", (path) => {
  expect(parseEndMarkerPath(path)).toBeUndefined();
});
