// What a function gets for its `durableClient` input.
import type { BindingMetadata, TypedData } from "../contract.ts";
import { type LinkParts, creationUrls, managementUrls } from "./links.ts";

/**
 * @param rpcBaseUrl Loopback address of the keyless listener; without it the library uses the public URLs.
 * @returns Undefined for bindings of other extensions.
 */
export function toClientInput(
  binding: BindingMetadata,
  links: LinkParts,
  rpcBaseUrl: string | undefined,
): TypedData | undefined {
  if (binding.type !== "durableClient" && binding.type !== "orchestrationClient") return undefined;
  return {
    string: JSON.stringify({
      taskHubName: links.hubName,
      connectionName: null,
      creationUrls: creationUrls(links),
      managementUrls: managementUrls(links),
      baseUrl: links.base,
      requiredQueryStringParameters: `code=${links.key}`,
      ...(rpcBaseUrl === undefined ? {} : { rpcBaseUrl }),
      httpBaseUrl: null,
    }),
  };
}
