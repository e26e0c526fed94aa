/** `10.0.0.1` as a number of 32 bits; undefined when it is none. No regular expression: tables have a million lines. */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      part = (part < 0 ? 0 : part * 10) + digit;
      if (part > 255) return undefined;
    } else if (text[i] === '.' && part >= 0) {
      value = value * 256 + part;
      part = -1;
      dots += 1;
    } else return undefined;
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}

/** `10.0.0.0/8`, or an address alone. Bits beyond the length are cleared. */
export function parsePrefix(text: string): { readonly address: number; readonly length: number } | undefined {
  const slash = text.indexOf('/');
  const address = parseIpv4(slash < 0 ? text : text.slice(0, slash));
  const length = slash < 0 ? 32 : wholeNumber(text.slice(slash + 1));
  if (address === undefined || length === undefined || length > 32) return undefined;
  return { address: cutIpv4(address, length), length };
}

/** Without the bits beyond the length. */
export function cutIpv4(address: number, length: number): number {
  const block = 2 ** (32 - length);
  return Math.floor(address / block) * block;
}

/** The length of a mask with ones in front: `255.255.255.0` is 24. */
export function maskLength(text: string): number | undefined {
  const mask = parseIpv4(text);
  if (mask === undefined) return undefined;
  const zeros = 2 ** 32 - mask;
  const length = 32 - Math.log2(zeros);
  return Number.isInteger(length) ? length : undefined;
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
