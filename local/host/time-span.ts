// .NET's TimeSpan text, `[d.]hh:mm[:ss[.fff]]`, as host.json and timer triggers use it.

/** @returns milliseconds, or undefined when `text` is no TimeSpan */
export function parseTimeSpan(text: string): number | undefined {
  const match = /^(?:(\d{1,8})\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0, fraction = 0] = match.slice(1).map((part) => Number(part ?? 0));
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds + fraction) * 1000;
}
