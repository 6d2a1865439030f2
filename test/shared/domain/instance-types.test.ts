import { expect, test } from "vitest";
import { findInstanceType, instanceTypes, sizesToTry } from "#shared/domain/instance-types.ts";

test("a retired size falls back to sizes that are not, unless the author lists others", () => {
  expect(sizesToTry("Standard_NC6s_v3", undefined)).toEqual([
    "Standard_NC6s_v3",
    "Standard_NC4as_T4_v3",
    "Standard_NC24ads_A100_v4",
  ]);
  expect(sizesToTry("standard_nc6s_v3", [])).toEqual(["standard_nc6s_v3"]);
  expect(sizesToTry("Standard_NC6s_v3", ["Standard_D4s_v5"])).toEqual(["Standard_NC6s_v3", "Standard_D4s_v5"]);
  expect(sizesToTry(undefined, undefined)).toEqual([]);
});

test("every retired size has fall-backs, each known and none retired", () => {
  for (const { retiredOn, fallbacks } of Object.values(instanceTypes)) {
    expect(retiredOn === undefined).toBe(fallbacks === undefined);
    for (const name of fallbacks ?? [])
      expect(findInstanceType(name)).toMatchObject({ vcpus: expect.any(Number) as number });
    for (const name of fallbacks ?? []) expect(findInstanceType(name)?.retiredOn).toBeUndefined();
  }
});
