import { createHash } from 'node:crypto';
import { packageProblem } from './problem.ts';

/** The manifest of a package (ETSI GS NFV-SOL 004, clause 4.3.2): what it is, and a digest of each file. */
export interface Manifest {
  readonly metadata: Readonly<Record<string, string>>;
  readonly digests: readonly Digest[];
}

export interface Digest {
  readonly source: string;
  readonly algorithm: string;
  readonly hash: string;
}

const algorithms: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512': 'sha512' };
const LINES_MAX = 100_000;

export function digestOf(bytes: Uint8Array, algorithm: string): string | undefined {
  const name = algorithms[algorithm.toLowerCase()];
  return name === undefined ? undefined : createHash(name).update(bytes).digest('hex');
}

export function formatManifest({ metadata, digests }: Manifest): string {
  const head = Object.entries(metadata).map(([name, value]) => `  ${name}: ${value}`);
  const blocks = digests.map(
    ({ source, algorithm, hash }) => `Source: ${source}\nAlgorithm: ${algorithm}\nHash: ${hash}\n`,
  );
  return `metadata:\n${head.join('\n')}\n\n${blocks.join('\n')}`;
}

export function parseManifest(text: string): Manifest {
  const lines = text.split(/\r?\n/);
  if (lines.length > LINES_MAX)
    throw packageProblem('SF-PACKAGE-CONTENT', `the manifest has more than ${LINES_MAX} lines`);
  const metadata: Record<string, string> = {};
  const digests: { source: string; algorithm: string; hash: string }[] = [];
  for (const line of lines) {
    const [, name, value] = /^\s*([\w-]{1,100}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const last = digests.at(-1);
    const key = name.toLowerCase();
    if (key === 'source') digests.push({ source: value, algorithm: '', hash: '' });
    else if (key === 'algorithm' && last !== undefined) last.algorithm = value;
    else if (key === 'hash' && last !== undefined) last.hash = value.toLowerCase();
    else if (digests.length === 0 && key !== 'metadata' && value !== '') metadata[name] = value;
  }
  return { metadata, digests };
}
