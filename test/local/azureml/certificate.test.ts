import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadCertificate } from "#local/azureml/certificate.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlpipe-certificate-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("the certificate serves 127.0.0.1 and localhost and is signed by the authority beside it", async () => {
  const { ca, cert } = await loadCertificate(folder);
  const [authority, server] = [new X509Certificate(ca), new X509Certificate(cert)];
  expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(server.checkHost("localhost")).toBe("localhost");
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(authority.ca).toBe(true);
  expect(server.ca).toBe(false);
});

test("a second start uses the certificate of the first", async () => {
  const first = await loadCertificate(folder);
  expect(await loadCertificate(folder)).toEqual(first);
});

test("the key is readable by its owner alone", async () => {
  await loadCertificate(folder);
  expect((await stat(join(folder, "server.key"))).mode & 0o777).toBe(0o600);
});

test("a certificate cut short by a crash is made anew", async () => {
  const first = await loadCertificate(folder);
  await writeFile(join(folder, "server.pem"), first.cert.slice(0, 100));
  const second = await loadCertificate(folder);
  expect(second.cert).not.toBe(first.cert);
  expect(new X509Certificate(second.cert).verify(new X509Certificate(second.ca).publicKey)).toBe(true);
});
