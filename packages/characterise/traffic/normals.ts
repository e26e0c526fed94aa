import { seeded } from '@superfluidity/core';

/** Numbers of the standard normal distribution that the seed decides (Box and Muller, 1958). */
export function normals(seed: number): () => number {
  const uniform = seeded(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
