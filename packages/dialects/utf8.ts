/** UTF-8 text, or the place of the first bytes that are none. */
export function decodeUtf8(bytes: Uint8Array): string | { readonly line: number; readonly column: number } {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // TextDecoder does not say where: everything before the first offending byte decodes.
    const lenient = new TextDecoder('utf-8').decode(bytes);
    const at = Math.max(0, lenient.indexOf('\u{FFFD}'));
    const before = lenient.slice(0, at);
    return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
  }
}
