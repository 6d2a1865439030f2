// The port through which the YAML loader reads; nothing in this folder touches a disk.

/** Longest text that is read as YAML, in bytes: a pipeline of thousands of nodes stays far below it. */
export const maxTextBytes = 5 * 1024 * 1024;

/** Paths are posix, absolute or relative to the source's root. */
export interface FileSource {
  /** The file's text, or undefined when there is no such file. Throws `MlpipeError` when it is too long or not UTF-8. */
  readText(path: string): Promise<string | undefined>;
  /** Every file below `folder`, by path relative to it, sizes in bytes; undefined when there is no such folder. */
  list(folder: string): Promise<readonly ListedFile[] | undefined>;
  kind(path: string): Promise<"file" | "folder" | undefined>;
  /** Names in a folder, to find what a wrong one may have meant; none where there is no such folder. */
  names?(folder: string): Promise<readonly string[]>;
}

export interface ListedFile {
  readonly path: string;
  readonly size: number;
}
