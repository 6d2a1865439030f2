// Where the versions of a dataset lie: `datasets/images/{version}/` as a pattern over blob paths.

export interface DatasetPlace {
  /** All that stands before `{version}`: what a listing begins with. */
  readonly prefix: string;
  /** Folder of a version, with a slash behind. */
  folderOf(version: string): string;
  /** The version that `path` belongs to and the file's path in its folder, or undefined when it lies elsewhere. */
  parse(path: string): { readonly version: string; readonly file: string } | undefined;
}

const hole = "{version}";

/** @returns the pattern's meaning, or in words what is wrong with it */
export function parseDatasetPath(pattern: string): DatasetPlace | string {
  const parts = pattern.split(hole);
  const [prefix = "", rest = ""] = parts;
  if (parts.length !== 2) return "it must hold `{version}` once, as in `datasets/images/{version}/`";
  if (/[{}*?]/.test(prefix + rest)) return "`{version}` is its only pattern; which files count is said by `files`";
  if (pattern.startsWith("/")) return "it is relative to the container and begins with no slash";
  if (pattern.length > 400) return "it is longer than 400 characters";
  const after = rest.endsWith("/") ? rest : `${rest}/`;
  const segments = `${prefix}x${after}`.slice(0, -1).split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".."))
    return "it holds an empty, `.` or `..` segment";
  if (/^(?:mlpipe|azureml|ExperimentRun)\//.test(prefix) || prefix === "") {
    return prefix === ""
      ? "it must begin with a folder of its own, such as `datasets/`"
      : `${prefix.split("/", 1)[0]}/ belongs to the workspace`;
  }
  return {
    prefix,
    folderOf: (version) => `${prefix}${version}${after}`,
    parse(path) {
      if (!path.startsWith(prefix)) return undefined;
      const segmentEnd = path.indexOf("/", prefix.length);
      if (segmentEnd < 0) return undefined;
      const [inSegment = ""] = after.split("/", 1);
      const segment = path.slice(prefix.length, segmentEnd);
      if (!segment.endsWith(inSegment)) return undefined;
      const version = segment.slice(0, segment.length - inSegment.length);
      const folder = `${prefix}${version}${after}`;
      const file = path.slice(folder.length);
      return isVersion(version) && path.startsWith(folder) && file !== "" ? { version, file } : undefined;
    },
  };
}

/** Whether `text` can be the name of a version: one segment of a blob's path. */
export function isVersion(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  return text.length > 0 && text.length <= 200 && !/[/\\\u0000-\u001f\u007f]/.test(text) && !/^\.+$/.test(text);
}
