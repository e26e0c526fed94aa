/**
 * SHA-256 (FIPS 180-4) of a text, in hexadecimal: for names that are made of others, wherever there is no module of Node.
 * Not for secrets: it takes no care of time.
 */
export function sha256(text: string): string {
  const message = padded(new TextEncoder().encode(text));
  const { initial, rounds } = (constants ??= rootsOfPrimes());
  const state = Uint32Array.from(initial);
  const words = new Uint32Array(64);
  for (let at = 0; at < message.byteLength; at += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = message.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const [a, b] = [words[i - 15]!, words[i - 2]!];
      const s0 = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
      const s1 = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
      words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as Eight;
    for (let i = 0; i < 64; i += 1) {
      const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const first = (h + s1 + ((e & f) ^ (~e & g)) + rounds[i]! + words[i]!) >>> 0;
      const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => {
      state[i] = state[i]! + value;
    });
  }
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

type Eight = [number, number, number, number, number, number, number, number];

const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function padded(bytes: Uint8Array): DataView {
  const view = new DataView(new ArrayBuffer(Math.ceil((bytes.length + 9) / 64) * 64));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(bytes.length) * 8n);
  return view;
}

/** The first 32 bits of the fractional parts of the square and cube roots of the first primes, as the standard makes them. */
let constants: Constants | undefined;

interface Constants {
  readonly initial: readonly number[];
  readonly rounds: readonly number[];
}

function rootsOfPrimes(): Constants {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < 64; n += 1n) if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  const root = (value: bigint, degree: bigint): number => {
    // The integer root of value * 2^(32 * degree); its low 32 bits are the fraction.
    let [low, high] = [0n, 1n << 40n];
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (middle ** degree <= value << (32n * degree)) low = middle;
      else high = middle;
    }
    return Number(low & 0xffffffffn);
  };
  return {
    initial: primes.slice(0, 8).map((prime) => root(prime, 2n)),
    rounds: primes.map((prime) => root(prime, 3n)),
  };
}
