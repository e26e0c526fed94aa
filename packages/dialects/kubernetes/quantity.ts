/**
 * Quantities of Kubernetes (apimachinery, resource.Quantity): a decimal number with a suffix of powers of 2 (`Ki`), of
 * powers of 10 (`m`, `k`) or an exponent (`1e3`). Read without any error but that of the last rounding to a number.
 */
const FORM = /^([+-]?)(\d{1,40})?(?:\.(\d{0,40}))?(?:([KMGTPE])i|([numkMGTPE])|[eE]([+-]?\d{1,3}))?$/;
const BINARY = 'KMGTPE';
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** In units of `2 ** shift`: with 20 and the memory in bytes, MiB. Undefined for what is no quantity, or negative. */
export function parseQuantity(written: string | number, shift = 0): number | undefined {
  const found = FORM.exec(String(written));
  if (found === null) return undefined;
  const [, sign, whole = '', fraction = '', binary, decimal, exponent] = found;
  if (whole + fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  if (sign === '-' && digits !== 0n) return undefined;
  const tens = (decimal === undefined ? Number(exponent ?? 0) : DECIMAL[decimal]!) - fraction.length;
  const twos = (binary === undefined ? 0 : 10 * (BINARY.indexOf(binary) + 1)) - shift;
  const above = digits * 10n ** BigInt(Math.max(0, tens)) * 2n ** BigInt(Math.max(0, twos));
  const below = 10n ** BigInt(Math.max(0, -tens)) * 2n ** BigInt(Math.max(0, -twos));
  const value = quotient(above, below);
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** The nearest number to a fraction: both parts are made so short that a division rounds once. */
function quotient(above: bigint, below: bigint): number {
  const divisor = greatest(above, below);
  const [a, b] = [above / divisor, below / divisor];
  if (a <= BigInt(Number.MAX_SAFE_INTEGER) && b <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(a) / Number(b);
  // 64 bits of the quotient, and one more that says whether anything was left.
  const scale = BigInt(Math.max(0, 64 - (bits(a) - bits(b))));
  const scaled = a << scale;
  const whole = ((scaled / b) << 1n) | (scaled % b === 0n ? 0n : 1n);
  return Number(whole) / 2 ** (Number(scale) + 1);
}

function greatest(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : x;
}

const bits = (value: bigint) => value.toString(2).length;

/** Cores. Kubernetes knows thousandths of them: undefined where that is too coarse. */
export function formatCores(cores: number): string | undefined {
  if (Number.isInteger(cores)) return plain(cores);
  const thousandths = Math.round(cores * 1_000);
  return thousandths / 1_000 === cores ? `${thousandths}m` : undefined;
}

/** Memory or storage. Kubernetes knows whole bytes: undefined where that is too coarse. */
export function formatMiB(mib: number): string | undefined {
  if (Number.isInteger(mib)) return mib === 0 ? '0' : `${plain(mib)}Mi`;
  const bytes = mib * 2 ** 20;
  return Number.isInteger(bytes) ? plain(bytes) : undefined;
}

const plain = (whole: number) => BigInt(whole).toString();
