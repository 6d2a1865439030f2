/** `1 file`, `4 files`. */
export function formatFiles(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}
