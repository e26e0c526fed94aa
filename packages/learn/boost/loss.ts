/** What boosting makes small: the square of the error, or for a quantile q the error above it times q, below it times 1 - q. */
export type Loss = { readonly kind: 'squared' } | { readonly kind: 'quantile'; readonly quantile: number };

export function meanLoss(loss: Loss, target: ArrayLike<number>, predicted: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < target.length; i += 1) {
    const error = target[i]! - predicted[i]!;
    if (loss.kind === 'squared') total += error * error;
    else total += error >= 0 ? loss.quantile * error : (loss.quantile - 1) * error;
  }
  return total / target.length;
}

/**
 * Where each answer should go to make the loss smaller, and how much that is worth. At an answer that is just right, the loss of
 * a quantile has a kink, and any slope between those of its sides is one: such rows get the one with which all together stay
 * where they are, if there is one. Else where many rows share one value, and the answer is that, all would point down alike,
 * nothing would tell rows apart, and boosting would stop before it began.
 */
export function slopes(loss: Loss, target: Float64Array, predicted: Float64Array, into: Float64Array): void {
  if (loss.kind === 'squared') {
    for (let i = 0; i < target.length; i += 1) into[i] = target[i]! - predicted[i]!;
    return;
  }
  const { quantile } = loss;
  let [sum, exact] = [0, 0];
  for (let i = 0; i < target.length; i += 1) {
    const error = target[i]! - predicted[i]!;
    if (error === 0) exact += 1;
    else sum += error > 0 ? quantile : quantile - 1;
  }
  const even = exact === 0 ? 0 : Math.min(quantile, Math.max(quantile - 1, -sum / exact));
  for (let i = 0; i < target.length; i += 1) {
    const error = target[i]! - predicted[i]!;
    into[i] = error === 0 ? even : error > 0 ? quantile : quantile - 1;
  }
}

/** What minimises the loss of these values, if all get one answer; `values` is put in another order. O(n). */
export function bestConstant(loss: Loss, values: Float64Array): number {
  if (loss.kind === 'squared') return values.reduce((a, b) => a + b, 0) / values.length;
  const rank = Math.min(values.length - 1, Math.max(0, Math.ceil(loss.quantile * values.length - 1e-9) - 1));
  return select(values, rank);
}

/** The value of this rank, from 0 (Floyd and Rivest 1975). */
export function select(values: Float64Array, rank: number): number {
  let [low, high] = [0, values.length - 1];
  while (high > low) {
    if (high - low > 600) {
      const n = high - low + 1;
      const i = rank - low + 1;
      const z = Math.log(n);
      const s = 0.5 * Math.exp((2 * z) / 3);
      const spread = 0.5 * Math.sqrt((z * s * (n - s)) / n) * Math.sign(i - n / 2);
      narrow(
        values,
        Math.max(low, Math.floor(rank - (i * s) / n + spread)),
        Math.min(high, Math.floor(rank + ((n - i) * s) / n + spread)),
        rank,
      );
    }
    const pivot = values[rank]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i]! < pivot) i += 1;
      while (values[j]! > pivot) j -= 1;
      if (i > j) break;
      const held = values[i]!;
      values[i] = values[j]!;
      values[j] = held;
      i += 1;
      j -= 1;
    }
    if (j < rank) low = i;
    if (i > rank) high = j;
  }
  return values[rank]!;
}

function narrow(values: Float64Array, low: number, high: number, rank: number): void {
  select(values.subarray(low, high + 1), rank - low);
}
