// Finds and loads what package.json calls `main`, in the way the worker does.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Loads the app's entry files. Any error while loading blocks the whole app.
 * @param entry a file relative to `appRoot`; by default `main` of its package.json, which may be a glob
 * @returns the files that were loaded, absolute
 */
export async function loadApp(appRoot: string, entry?: string): Promise<string[]> {
  const files = entry === undefined ? entriesOfPackage(appRoot) : [resolve(appRoot, entry)];
  for (const file of files) {
    if (!existsSync(file))
      throw new Error(`The app's entry ${file} does not exist. Build the app, or name another entry.`);
    try {
      await import(pathToFileURL(file).href);
    } catch (error) {
      throw new Error(
        `The app could not be loaded from ${file}: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
  }
  return files;
}

function entriesOfPackage(appRoot: string): string[] {
  const file = join(appRoot, "package.json");
  let main: unknown;
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    main = content !== null && typeof content === "object" && "main" in content ? content.main : undefined;
  } catch (error) {
    throw new Error(`${file} cannot be read: it must be there and hold JSON with \`main\`.`, {
      cause: error,
    });
  }
  if (typeof main !== "string")
    throw new Error(`${file} has no \`main\`: set it to the app's entry file (a glob is allowed).`);
  const matches = globSync(main, { cwd: appRoot }).sort();
  if (matches.length === 0) throw new Error(`\`main\` of ${file}, "${main}", matches no file. Build the app first.`);
  return matches.map((match) => resolve(appRoot, match));
}
