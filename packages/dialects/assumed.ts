/**
 * Most dialects do not say which addresses a network has; the model must know. Networks without a prefix get one of
 * 10.128.0.0/9 in the order in which they are named, and carry a note of it, so that nobody takes it for the author's.
 */
export function assumedPrefix(index: number): string {
  return `10.${128 + ((index >> 8) & 127)}.${index & 255}.0/24`;
}

/** To be spread into what a network carries for the dialect. */
export const ASSUMED = { prefixAssumed: true } as const;

/** Whether the prefix of a network came from here, and not from the dialect. */
export function isAssumed(dialect: string, network: { readonly carried?: Readonly<Record<string, unknown>> }): boolean {
  const fields = network.carried?.[dialect];
  return (
    fields !== null && typeof fields === 'object' && (fields as { prefixAssumed?: unknown }).prefixAssumed === true
  );
}

/** The same for the address of a chain: of 100.64.0.0/10 (RFC 6598), which no network of a service has by assumption. */
export function assumedAddress(index: number): string {
  return `100.64.${Math.floor(index / 250) & 255}.${(index % 250) + 1}`;
}
