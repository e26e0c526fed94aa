/** An Ethernet address as the model writes it. */
export function macOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(text) ? text : undefined;
}
