/** Numbers and times as people read them. */

export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

export function formatMiB(mib: number): string {
  return mib < 1_024 ? `${Math.round(mib)} MiB` : `${trim(mib / 1_024)} GiB`;
}

export function formatBandwidth(mbps: number): string {
  return mbps < 1_000 ? `${trim(mbps)} Mb/s` : `${trim(mbps / 1_000)} Gb/s`;
}

/** From 0 to 1, of what there is; 0 of nothing. */
export const share = (used: number, all: number): number => (all > 0 ? Math.min(1, Math.max(0, used / all)) : 0);

export const trim = (value: number): string => String(Math.round(value * 10) / 10);

/** Thousands apart: 12 345. */
export const formatCount = (value: number): string => COUNT.format(value).replaceAll(',', '\u202f');

/** Made once: to make one takes longer than to use it a hundred times. */
const COUNT = new Intl.NumberFormat('en');
const DAY = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' });

export const formatAmount = (count: number, of: string): string =>
  `${formatCount(count)} ${of}${count === 1 ? '' : 's'}`;

export function formatPercent(fraction: number): string {
  const percent = fraction * 100;
  return `${percent > 0 && percent < 1 ? '<1' : Math.round(percent)} %`;
}

export function formatTime(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Hits of all requests to a pool; undefined while nobody has asked. */
export function hitRate(pool: { readonly hits: number; readonly misses: number }): number | undefined {
  const asked = pool.hits + pool.misses;
  return asked === 0 ? undefined : pool.hits / asked;
}

const MINUTE_MS = 60_000;

/** Of something in the past, in its greatest unit: 3 min ago. */
export function formatAge(ms: number): string {
  if (ms < 5_000) return 'just now';
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1_000)} s ago`;
  if (ms < 60 * MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < 24 * 60 * MINUTE_MS) return `${Math.floor(ms / (60 * MINUTE_MS))} h ago`;
  return formatAmount(Math.floor(ms / (24 * 60 * MINUTE_MS)), 'day') + ' ago';
}

export function formatDay(ms: number): string {
  return DAY.format(ms);
}
