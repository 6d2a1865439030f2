// Who the app is towards Azure. The identity library is large, so it is loaded with the first token it is asked for.
import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import type { CredentialSettings } from "../settings.ts";

/**
 * @param settings which kind of credential to use
 * @returns a credential; nothing is asked of Azure before the first token
 */
export function createCredential(settings: CredentialSettings): TokenCredential {
  if (settings.kind === "access-token") {
    const { token } = settings;
    // Whoever set the token renews it by setting another; an hour is what the client may believe meanwhile.
    return {
      getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
  }
  let inner: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
      inner ??= loadIdentity(settings);
      return (await inner).getToken(scopes, options);
    },
  };
}

async function loadIdentity(settings: Exclude<CredentialSettings, { kind: "access-token" }>): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import("@azure/identity");
  if (settings.kind === "default") return new DefaultAzureCredential();
  return settings.clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId: settings.clientId });
}
