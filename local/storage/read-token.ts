import { createHmac } from "node:crypto";

const version = "2018-11-09";

/**
 * An account SAS (query string, no `?`) that reads any blob's properties, made once and good for as long as a stack may live.
 * https://learn.microsoft.com/rest/api/storageservices/create-account-sas
 */
export function createReadToken(accountName: string, accountKey: string): string {
  const expiry = "2099-12-31T00:00:00Z";
  const fields = { sv: version, ss: "b", srt: "o", sp: "r", se: expiry };
  const toSign = [accountName, fields.sp, fields.ss, fields.srt, "", fields.se, "", "", fields.sv, ""].join("\n");
  const sig = createHmac("sha256", Buffer.from(accountKey, "base64")).update(toSign, "utf8").digest("base64");
  return new URLSearchParams({ ...fields, sig }).toString();
}
