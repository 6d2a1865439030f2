// File names with `*` and `?` inside one folder and `**` over folders. Matched without backtracking over the whole text, so that no
// pattern can make it slow.

/** Whether `path`, relative and with `/`, is one of those that `pattern` names. */
export function matchesGlob(pattern: string, path: string): boolean {
  return matchSegments(pattern.split("/"), path.split("/"));
}

/** Whether `pattern` stands for one file name and no other. */
export function isExactName(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

function matchSegments(patterns: readonly string[], segments: readonly string[]): boolean {
  // reachable[i]: the patterns seen so far can have eaten exactly i segments.
  let reachable = segments.map((_, index) => index === 0).concat(segments.length === 0);
  for (const pattern of patterns) {
    const next = reachable.map(() => false);
    for (const [eaten, isReached] of reachable.entries()) {
      if (!isReached) continue;
      if (pattern === "**") for (let end = eaten; end < next.length; end += 1) next[end] = true;
      else if (eaten < segments.length && matchSegment(pattern, segments[eaten] ?? "")) next[eaten + 1] = true;
    }
    reachable = next;
  }
  return reachable.at(-1) === true;
}

/** `*` any run of characters, `?` one. On a mismatch only the last star grows. */
function matchSegment(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let starText = 0;
  for (let index = 0; index < text.length;) {
    if (pattern[at] === "*") {
      star = at;
      starText = index;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      starText += 1;
      index = starText;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
