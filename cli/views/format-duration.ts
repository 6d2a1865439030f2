/** Seconds as people say them: `0.4 s`, `43 s`, `2 min 05 s`, `3 h 07 min`. */
export function formatDuration(seconds: number): string {
  const clamped = Math.max(0, seconds);
  if (clamped < 0.95) return `${clamped.toFixed(1)} s`;
  const whole = Math.round(clamped);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Seconds from one ISO 8601 time to another, or to `now` (milliseconds) while there is no end. Never negative. */
export function secondsBetween(start: string, end: string | undefined, now: number): number {
  return Math.max(0, ((end === undefined ? now : Date.parse(end)) - Date.parse(start)) / 1000);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
