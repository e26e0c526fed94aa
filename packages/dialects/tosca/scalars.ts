/** TOSCA Simple Profile 1.3, clause 3.3.6: a number and a unit, the case of which is not looked at. */
const sizes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  kib: 2 ** 10,
  mb: 1e6,
  mib: 2 ** 20,
  gb: 1e9,
  gib: 2 ** 30,
  tb: 1e12,
  tib: 2 ** 40,
};

/** `512 MB` in MiB. Undefined where it is no size. */
export function mebibytes(value: unknown): number | undefined {
  // A bare number was a number of MB in the first versions of the profile.
  if (typeof value === 'number') return value >= 0 ? (value * 1e6) / 2 ** 20 : undefined;
  if (typeof value !== 'string') return undefined;
  const [, number, unit] = /^\s*(\d{1,15}(?:\.\d{1,15})?(?:e-?\d{1,2})?)\s*([a-z]{1,3})\s*$/i.exec(value) ?? [];
  const factor = sizes[unit?.toLowerCase() ?? ''];
  if (number === undefined || factor === undefined) return undefined;
  // Rounded to bytes: a size has no fractions of them, and 1.1 GB would have some.
  const exact = unit?.toLowerCase() === 'mib' ? Number(number) : Math.round(Number(number) * factor) / 2 ** 20;
  return exact;
}

export const size = (mib: number): string => `${mib} MiB`;
