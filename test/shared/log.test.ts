import { expect, test } from "vitest";
import { withoutSecrets } from "#shared/log.ts";

test.each([
  ["GET https://a.blob.core.windows.net/c/b?sv=2024&sig=abc%2Fdef&se=x", "abc"],
  ["https://app/api/runs?code=s3cr3t&x=1", "s3cr3t"],
  ["Authorization: Bearer eyJhbGciOi.J9-_x", "eyJ"],
  ["DefaultEndpointsProtocol=https;AccountKey=Zm9v+/==;EndpointSuffix=core", "Zm9v"],
  ["Endpoint=sb://x;SharedAccessKey=hunter2;", "hunter2"],
])("no credential of %j is left", (text, secret) => {
  expect(withoutSecrets(text)).not.toContain(secret);
});

test("a text without credentials stays as it is", () => {
  expect(withoutSecrets("loss 0.3 at epoch 2, see https://x/y?epoch=2")).toBe(
    "loss 0.3 at epoch 2, see https://x/y?epoch=2",
  );
});
