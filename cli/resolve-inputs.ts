// `name=value` as the API takes it: data of this machine is stored first, everything else goes as it was typed.
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { InputValue } from "#shared/api.ts";
import { DataType } from "#shared/domain/data-types.ts";
import { MlpipeError } from "#shared/errors.ts";
import { listLocalFiles } from "./hash-files.ts";
import type { Store } from "./store-files.ts";

type Declared = Readonly<Record<string, unknown>>;

/** `https:`, `azureml:`, `wasbs:` ...; one letter would be a Windows drive. */
const uriPattern = /^[a-z][a-z0-9+.-]+:/i;

/**
 * @param document - the pipeline whose inputs they are; without it a value that looks like a path and exists is data.
 * @throws MlpipeError `InvalidRequest` when an input is data and its path does not exist or is of the other kind.
 */
export async function resolveInputs(
  given: Readonly<Record<string, string>>,
  document: Declared | undefined,
  store: Store,
): Promise<Record<string, InputValue>> {
  const inputs: Record<string, InputValue> = {};
  for (const [name, value] of Object.entries(given)) {
    const guessed = looksLikeData(value) ? "any" : undefined;
    const type = document === undefined ? guessed : declaredType(document, name);
    if (type === undefined) inputs[name] = value;
    else if (uriPattern.test(value)) inputs[name] = { path: value };
    else inputs[name] = await storeData(name, value, type, store);
  }
  return inputs;
}

async function storeData(name: string, path: string, type: DataType | "any", store: Store): Promise<InputValue> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw invalid(name, `no such file or folder: ${path}`);
  if (type === "uri_folder" && found.isFile()) throw invalid(name, `a folder is expected, ${path} is a file`);
  if (type === "uri_file" && !found.isFile()) throw invalid(name, `a file is expected, ${path} is a folder`);
  const files = await listLocalFiles(path);
  const [first] = files;
  if (first === undefined) throw invalid(name, `${path} is empty`);
  const { uri } = await store(path, files);
  return { path: found.isFile() ? `${uri.replace(/\/$/, "")}/${first.path}` : uri };
}

/** The data type of a pipeline's input, undefined when it takes a literal or is not one of its inputs. */
function declaredType({ inputs }: Declared, name: string): DataType | "any" | undefined {
  if (typeof inputs !== "object" || inputs === null || !(name in inputs)) return undefined;
  const declared: unknown = Reflect.get(inputs, name);
  if (typeof declared !== "object" || declared === null) return undefined;
  const type = DataType.safeParse(Reflect.get(declared, "type"));
  if (type.success) return type.data;
  return "path" in declared ? "uri_folder" : undefined;
}

/** A URI, or a path that exists. */
export function looksLikeData(value: string): boolean {
  const looksLikePath = /[\\/]/.test(value);
  return uriPattern.test(value) || (looksLikePath && existsSync(value));
}

function invalid(name: string, message: string): MlpipeError {
  const issues = [{ severity: "error", path: `inputs.${name}`, message } as const];
  return new MlpipeError("InvalidRequest", "an input cannot be used; nothing was started", { issues });
}
