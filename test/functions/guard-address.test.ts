import { describe, expect, test } from "vitest";
import { createAddressGuard, type Judgement, refusedCode } from "#functions/webhooks/guard-address.ts";

const guard = createAddressGuard([]);

/** What `http.request` would be given for a name. */
function look(host: string, allow: readonly string[] = [], accept: readonly Judgement[] = ["public", "allowed"]) {
  return new Promise<{ code?: string | undefined; addresses: readonly string[] }>((resolve) => {
    createAddressGuard(allow).lookup(accept)(host, { all: true }, (error, addresses) => {
      const found = Array.isArray(addresses) ? addresses.map(({ address }) => address) : [];
      resolve({ code: error?.code, addresses: found });
    });
  });
}

describe("the guard of webhooks", () => {
  test.each([
    "127.0.0.1",
    "127.255.0.3",
    "0.0.0.0",
    "10.0.0.8",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "2001:0:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
  ])("refuses %s", (address) => {
    expect(guard.judge("hooks.example", address)).toBe("refused");
    expect(guard.judgeHost(address)).toBe("refused");
  });

  test.each(["1.1.1.1", "20.50.2.3", "172.32.0.1", "100.128.0.1", "::ffff:1.1.1.1", "2606:4700::1111", "2a00:1450::1"])(
    "lets %s pass",
    (address) => {
      expect(guard.judge("hooks.example", address)).toBe("public");
    },
  );

  test("decides a name only when it is resolved", () => {
    expect(guard.judgeHost("hooks.example")).toBeUndefined();
  });

  test("gives a connection none of the addresses that a name must not lead to", async () => {
    expect(await look("localhost")).toEqual({ code: refusedCode, addresses: [] });
    const { addresses } = await look("localhost", ["127.0.0.0/8", "::1"]);
    expect(addresses.length).toBeGreaterThan(0);
  });

  test("takes exceptions as hosts, addresses and blocks, and nothing beside them", () => {
    const open = createAddressGuard(["10.1.0.0/16", "fd00::1", "hooks.corp.example", "*.lab.example"]);
    expect(open.judge("x", "10.1.2.3")).toBe("allowed");
    expect(open.judge("x", "::ffff:10.1.2.3")).toBe("allowed");
    expect(open.judge("x", "10.2.0.1")).toBe("refused");
    expect(open.judge("x", "fd00::1")).toBe("allowed");
    expect(open.judge("x", "fd00::2")).toBe("refused");
    expect(open.judge("HOOKS.corp.example.", "10.9.9.9")).toBe("allowed");
    expect(open.judge("a.lab.example", "10.9.9.9")).toBe("allowed");
    expect(open.judge("evil-lab.example", "10.9.9.9")).toBe("refused");
    expect(open.judge("lab.example", "10.9.9.9")).toBe("refused");
  });

  test.each(["10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/x", "a b", "http://x", "-a"])(
    "refuses to start with %s",
    (entry) => {
      expect(() => createAddressGuard([entry])).toThrow(/MLPIPE_WEBHOOK_ALLOW.*is no host, address or CIDR block/);
    },
  );
});
