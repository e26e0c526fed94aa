import type { LatencyModel } from './config.ts';

/**
 * Draws that depend on what they are for, and on nothing else: however work interleaves, the same seed gives the same
 * unit the same latency and the same fate.
 */
export function draw(seed: number, ...what: readonly (string | number)[]): number {
  // FNV-1a over the text, then the finaliser of MurmurHash3, which spreads neighbouring hashes over the whole range.
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  const text = what.join('\0');
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** One sample of the model in milliseconds, at least 0. */
export function sampleLatency(model: LatencyModel, seed: number, ...what: readonly (string | number)[]): number {
  switch (model.kind) {
    case 'fixed':
      return model.ms;
    case 'normal':
      return Math.max(0, model.meanMs + model.deviationMs * standardNormal(seed, ...what));
    case 'lognormal':
      return model.medianMs * Math.exp(model.sigma * standardNormal(seed, ...what));
  }
}

/** Box and Muller, 1958. */
function standardNormal(seed: number, ...what: readonly (string | number)[]): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draw(seed, 'radius', ...what)));
  return radius * Math.cos(2 * Math.PI * draw(seed, 'angle', ...what));
}
