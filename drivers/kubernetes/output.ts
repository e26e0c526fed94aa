import { CONTAINER } from './manifest.ts';
import type { Pod } from './objects.ts';
import { statusIn } from './cluster.ts';
import type { World } from './world.ts';

/** The answer of the kubelet before a container has started. */
const BAD_REQUEST = 400;

/**
 * Whole lines from byte `offset` on. The kubelet keeps the newest of its files only (10 MiB by default): who asks for what
 * was thrown away begins where the file begins.
 */
export async function readLog(
  world: World,
  pod: Pod,
  offset: number,
  signal: AbortSignal,
): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
  const { cluster } = world;
  const path = `${cluster.path('pods', pod.metadata.name)}/log`;
  const text = await cluster.text(path, { query: { container: CONTAINER }, signal }).catch((error: unknown) => {
    if (statusIn(error) === BAD_REQUEST) return undefined;
    throw error;
  });
  const bytes = Buffer.from(text ?? '', 'utf8');
  const from = offset > bytes.length ? 0 : offset;
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end <= from) return { lines: [], next: offset };
  const lines = bytes
    .subarray(from, end - 1)
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  return { lines, next: end };
}
