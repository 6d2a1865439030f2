// Ingredients as they are kept and shown: a value that is secret by its name gives way to a short digest, which tells that it
// has changed and not what it is.
import type { Ingredients } from "./node-key.ts";
import { textHash } from "./text-hash.ts";

const secretName =
  /secret|passw|pwd|token|credential|api_?key|access_?key|account_?key|private_?key|connection_?string|(?:^|_)sas(?:_|$)/i;
const secretFields = /^(?:inputs|environmentVariables)\./;

/**
 * @param ingredients with their true values
 * @param withoutSecrets takes signatures and keys out of any text
 */
export async function hideSecrets(
  ingredients: Ingredients,
  withoutSecrets: (text: string) => string,
): Promise<Ingredients> {
  const entries = Object.entries(ingredients).map(async ([name, value]) => {
    const isSecret = secretFields.test(name) && secretName.test(name) && value.startsWith('"');
    const shown = isSecret ? '"hidden"' : withoutSecrets(value);
    if (shown === value) return [name, value] as const;
    const digest = (await textHash(`${name} ${value}`)).slice(0, 8);
    return [name, JSON.stringify(`${isSecret ? "hidden" : plainText(shown)} (#${digest})`)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The text of a JSON text, and any other JSON as it is. */
export function plainText(json: string): string {
  if (!json.startsWith('"')) return json;
  try {
    return String(JSON.parse(json));
  } catch {
    return json;
  }
}
