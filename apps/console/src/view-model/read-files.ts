/** Files that were dropped, as the API takes them: the descriptor first. */
export interface SourceFile {
  readonly path: string;
  readonly base64: string;
}

/** The bounds of the API, see `descriptorSource`. */
export const FILE_LIMITS = { files: 512, bytes: 1_500_000 } as const;

/** What is probably the descriptor: a text in a format that descriptors have, of the least depth, then by name. */
export function descriptorFirst<T extends { readonly path: string }>(files: readonly T[]): readonly T[] {
  const rank = ({ path }: T): number => {
    const depth = path.split('/').length;
    const kind = /(?:service|nsd|descriptor)[^/]*\.(?:ya?ml|json)$/i.test(path)
      ? 0
      : /\.(?:ya?ml|json|xml|click|nemo|csar|zip|tar|tgz|gz)$/i.test(path)
        ? 1
        : 2;
    return kind * 100 + depth;
  };
  return files.toSorted((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
}

/** Why the files cannot be sent, or undefined. */
export function refusedFiles(files: readonly { readonly path: string; readonly size: number }[]): string | undefined {
  if (files.length === 0) return 'No file was chosen.';
  if (files.length > FILE_LIMITS.files) return `${files.length} files: at most ${FILE_LIMITS.files} are taken.`;
  const large = files.find(({ size }) => size > FILE_LIMITS.bytes);
  return large === undefined
    ? undefined
    : `${large.path} has ${large.size} bytes: at most ${FILE_LIMITS.bytes} are taken.`;
}

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
}
