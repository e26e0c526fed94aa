/** Sum of what each year brings, discounted to year 0, which is the first of the list. O(years). */
export function netPresentValue(flows: readonly number[], rate: number): number {
  return flows.reduceRight((later, flow) => flow + later / (1 + rate), 0);
}

/** Rates between which the internal one is looked for. */
const LEAST_RATE = -0.99;
const MOST_RATE = 100;
const HALVINGS = 200;

/**
 * Rate at which the net present value is nothing. Where the flows change their sign once there is one at most (Descartes), and
 * halving finds it; undefined where they do not, because then there may be none or several.
 */
export function internalRate(flows: readonly number[]): number | undefined {
  const signs = flows.filter((flow) => flow !== 0).map(Math.sign);
  const changes = signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length;
  if (changes !== 1) return undefined;
  let [low, high] = [LEAST_RATE, MOST_RATE];
  const below = Math.sign(netPresentValue(flows, low));
  if (below === Math.sign(netPresentValue(flows, high))) return undefined;
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (Math.sign(netPresentValue(flows, middle)) === below) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
