// Money is counted in whole millionths of a US dollar: sums of many small shares then come out the same in every order.

const microsPerUsd = 1_000_000;

/** The largest sum that is told apart to the millionth. */
export const mostUsd = 1_000_000_000;

/** @returns millionths, rounded up: what something may cost is never told too low */
export function toMicros(usd: number): number {
  // A price like 0.29 is a little more or less in binary; that little is no millionth of its own.
  return Math.max(0, Math.ceil(usd * microsPerUsd - 1e-6));
}

export function toUsd(micros: number): number {
  return micros / microsPerUsd;
}

/** What a time costs. @param rate millionths an hour @returns millionths, rounded up */
export function costOf(rate: number, seconds: number): number {
  return Math.max(0, Math.ceil((rate * seconds) / 3600 - 1e-6));
}

/** As people write it: `$5.00`, `$1,234.50`, and with as many digits as a small sum needs: `$0.0177`. */
export function formatUsd(usd: number): string {
  const digits = usd === 0 || Math.abs(usd) >= 0.1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(Math.abs(usd))));
  return new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.max(2, digits - 1),
  }).format(usd);
}
