// Which addresses a webhook may reach. The app stands inside a network with a managed identity: an address that somebody
// registers must not become a way to its neighbours or to the platform's metadata service. Judged on the address that is connected
// to, not on the name, so a name that resolves to something else a moment later gains nothing.
import { lookup as resolve } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { MlpipeError } from "#shared/errors.ts";

/** Everything that is not the public internet: https://www.iana.org/assignments/iana-ipv4-special-registry and the one for IPv6. */
const special: readonly (readonly [address: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // Azure's own: host agent, DNS and health probes behind a public address.
  ["168.63.129.16", 32],
  ["::", 128],
  ["::1", 128],
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["5f00::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

export type Judgement = "public" | "allowed" | "refused";

export type AddressGuard = ReturnType<typeof createAddressGuard>;

/** Code of the error that a refused connection fails with. */
export const refusedCode = "ERR_ADDRESS_REFUSED";

/**
 * @param allow hosts (`hooks.corp.example`, `*.corp.example`), addresses and CIDR blocks that may be reached all the same
 * @throws MlpipeError `InvalidRequest` naming the entry that is none of these
 */
export function createAddressGuard(allow: readonly string[]) {
  const refused = new BlockList();
  for (const [address, bits] of special) refused.addSubnet(address, bits, familyOf(address));
  const allowed = new BlockList();
  const hosts: string[] = [];
  for (const entry of allow) addEntry(entry, allowed, hosts);

  function judge(host: string, address: string): Judgement {
    if (isAllowedHost(host, hosts)) return "allowed";
    const family = familyOf(address);
    if (allowed.check(address, family)) return "allowed";
    // An IPv6 address that carries an IPv4 one is checked as that, too.
    return refused.check(address, family) ? "refused" : "public";
  }

  return {
    /** Whether there are no exceptions. */
    isEmpty: allow.length === 0,

    judge,

    /** What is known of a host before it is resolved: undefined for a name that may be anything. */
    judgeHost(host: string): Judgement | undefined {
      if (isAllowedHost(host, hosts)) return "allowed";
      return isIP(host) === 0 ? undefined : judge(host, host);
    },

    /**
     * Resolves names for `http.request`, to addresses that may be reached and no others.
     *
     * @param accept the judgements that will do
     */
    lookup(accept: readonly Judgement[]): LookupFunction {
      return (host, options, callback) => {
        resolve(host, { ...options, all: true }, (error, addresses) => {
          if (error !== null) return callback(error, "", 0);
          const usable = addresses.filter(({ address }) => accept.includes(judge(host, address)));
          const [first] = usable;
          if (first === undefined) return callback(refusal(), "", 0);
          if (options.all === true) return callback(null, usable);
          callback(null, first.address, first.family);
        });
      };
    },
  };
}

export function refusal(): NodeJS.ErrnoException {
  return Object.assign(new Error("the address is private, local or the platform's own"), { code: refusedCode });
}

function isAllowedHost(host: string, hosts: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return hosts.some((entry) => (entry.startsWith("*.") ? name.endsWith(entry.slice(1)) : name === entry));
}

function addEntry(entry: string, allowed: BlockList, hosts: string[]): void {
  const [address = "", bits, ...rest] = entry.split("/");
  if (isIP(address) !== 0 && rest.length === 0) {
    const longest = isIP(address) === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : Number(bits);
    if (/^\d{1,3}$/.test(bits ?? "0") && prefix <= longest) {
      allowed.addSubnet(address, prefix, familyOf(address));
      return;
    }
  } else if (/^(?:\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(entry)) {
    hosts.push(entry.toLowerCase());
    return;
  }
  throw new MlpipeError("InvalidRequest", `MLPIPE_WEBHOOK_ALLOW: \`${entry}\` is no host, address or CIDR block`);
}

const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
