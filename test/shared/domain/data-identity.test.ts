import { describe, expect, test } from "vitest";
import { type FileVersion, identifyData } from "#shared/domain/data-identity.ts";

const file = (path: string, md5: string | undefined, etag = "1", size = 1): FileVersion => {
  return { path, size, etag, ...(md5 === undefined ? {} : { md5 }) };
};
const uri = "azureml://datastores/store/paths/data/";

describe("the identity of data", () => {
  test("is that of its content, wherever it lies and whenever it was written", async () => {
    const one = await identifyData(uri, [file("a", "x"), file("b", "y")]);
    expect(one).toMatch(/^content:[0-9a-f]{64}$/);
    expect(await identifyData("azureml://datastores/other/paths/z", [file("b", "y", "7"), file("a", "x", "9")])).toBe(
      one,
    );
  });

  test("is another for another name, size or content, and for one file more or less", async () => {
    const all = [
      [file("a", "x")],
      [file("b", "x")],
      [file("a", "y")],
      [file("a", "x", "1", 2)],
      [file("a", "x"), file("b", "y")],
      [],
    ];
    const identities = await Promise.all(all.map((files) => identifyData(uri, files)));
    expect(new Set(identities).size).toBe(all.length);
  });

  test("is that of its versions and its place where the store does not know one file's content", async () => {
    const files = [file("a", "x"), file("b", undefined, "2")];
    const one = await identifyData(uri, files);
    expect(one).toMatch(/^version:[0-9a-f]{64}$/);
    expect(await identifyData(uri.slice(0, -1), files)).toBe(one);
    const workspace = "/subscriptions/s/resourcegroups/g/workspaces/w";
    expect(await identifyData(`azureml:/${workspace}/datastores/store/paths/data/`, files)).toBe(one);
    expect(await identifyData("azureml://datastores/store/paths/other/", files)).not.toBe(one);
    expect(await identifyData(uri, [file("a", "x"), file("b", undefined, "3")])).not.toBe(one);
  });
});
