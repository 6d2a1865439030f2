import { expect, test } from "vitest";
import { parseDurationSeconds } from "#local/azureml/parse-duration.ts";

test.each([
  ["PT1H", 3600],
  ["PT90S", 90],
  ["P1DT2H3M4.5S", 93_784.5],
  ["P2D", 172_800],
])("%s is %d seconds", (text, seconds) => {
  expect(parseDurationSeconds(text)).toBe(seconds);
});

test.each(["", "P", "PT", "1h", "PT-5S", "P1M", "3600"])("%j is no duration", (text) => {
  expect(parseDurationSeconds(text)).toBeUndefined();
});
