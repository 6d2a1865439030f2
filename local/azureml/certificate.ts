// The Azure pipeline sends bearer tokens over TLS only, so the workspace has a certificate authority of its own.
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";

export interface ServerCertificate {
  /** Path of the authority's PEM, for `NODE_EXTRA_CA_CERTS` or `tlsOptions.ca`. */
  readonly caFile: string;
  /** PEM. */
  readonly ca: string;
  /** PEM. */
  readonly cert: string;
  /** PEM; the file holding it is readable by its owner alone. */
  readonly key: string;
}

const validDays = 825;
const renewBeforeMs = 30 * 24 * 3600 * 1000;
const elliptic = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

async function makeCertificate(): Promise<{ ca: string; cert: string; key: string }> {
  // Loaded only for the first start of a folder: it is slow to load.
  const { generate } = await import("selfsigned");
  const notBeforeDate = new Date(Date.now() - 3600 * 1000);
  const notAfterDate = new Date(Date.now() + validDays * 24 * 3600 * 1000);
  const authority = await generate([{ name: "commonName", value: "mlpipe embedded workspace" }], {
    ...elliptic,
    notBeforeDate,
    notAfterDate,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  // The authority's key is dropped here: nothing else can ever be signed with it.
  const server = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    ...elliptic,
    notBeforeDate,
    notAfterDate,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 7, ip: "127.0.0.1" },
          { type: 2, value: "localhost" },
        ],
      },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}

function isUsable(ca: string, cert: string): boolean {
  const [authority, server] = [new X509Certificate(ca), new X509Certificate(cert)];
  return server.verify(authority.publicKey) && Date.parse(server.validTo) > Date.now() + renewBeforeMs;
}

/**
 * Server certificate for 127.0.0.1 and localhost and the authority that signed it, made once per folder.
 * @param folder Made when missing, readable by its owner alone.
 */
export async function loadCertificate(folder: string): Promise<ServerCertificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    ca: join(folder, "ca.pem"),
    cert: join(folder, "server.pem"),
    key: join(folder, "server.key"),
  };
  try {
    const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((path) => readFile(path, "utf8")));
    if (ca !== undefined && cert !== undefined && key !== undefined && isUsable(ca, cert)) {
      return { caFile: files.ca, ca, cert, key };
    }
  } catch {
    // Missing, cut short or expired all end the same way: a new set.
  }
  const made = await makeCertificate();
  await writePrivate(files.key, made.key);
  await writePrivate(files.cert, made.cert);
  await writePrivate(files.ca, made.ca);
  return { caFile: files.ca, ...made };
}
