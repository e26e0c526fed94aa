const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A number as Kubernetes writes it: `1500m`, `64Mi`, `12e6`. Absent: 0. */
export function quantity(text: string | undefined): number {
  if (text === undefined) return 0;
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([numkMGTPE]i?|Ki|)$/.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * (SUFFIXES[match[2]!] ?? Number.NaN);
}

export function mebibytes(text: string | undefined): number {
  return quantity(text) / 2 ** 20;
}
