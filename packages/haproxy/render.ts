import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { listenerLines } from './render-listener.ts';
import { backendLines, type Server, serverOf } from './render-pool.ts';
import { type Keep, quoted, type RenderedFile } from './words.ts';
import type { ProxyTree } from './tree.ts';

/** A tree as HAProxy 2.6 reads it (configuration manual). Members apart: they may come and go while it runs. */
export interface Rendered {
  /** The whole configuration. */
  readonly text: string;
  /** The configuration without members: another one needs another process. */
  readonly skeleton: string;
  /** By pool. */
  readonly servers: Readonly<Record<string, readonly Server[]>>;
  /** Certificates and programs by name, to be written beside the configuration. */
  readonly files: ReadonlyMap<string, RenderedFile>;
}

/** HAProxy binds a socket under a longer name first: what is left of the 107 bytes of unix(7). */
export const SOCKET_PATH_BYTES_MAX = 97;
export const socketPath = (folder: string): string => join(folder, 'haproxy.sock');

const CONNECTIONS_MAX = 4_000;

export function render(tree: ProxyTree, folder: string): Rendered {
  const files = new Map<string, RenderedFile>();
  /** Named for what is in it, so that another certificate is another configuration. */
  const keep: Keep = (content, suffix, mode = 0o600) => {
    const name = `${createHash('sha256').update(content).digest('hex').slice(0, 24)}${suffix}`;
    files.set(name, { content, mode });
    return quoted(join(folder, name));
  };
  const limit = Math.max(CONNECTIONS_MAX, ...tree.listeners.map(({ connectionLimit = 0 }) => connectionLimit));
  const pings = tree.pools.some(({ monitor }) => monitor?.kind === 'ping');
  const sticks = tree.pools.some(({ persistence }) => persistence !== undefined && persistence.kind !== 'cookie');
  const head = [
    'global',
    `  stats socket ${quoted(socketPath(folder))} mode 600 level admin expose-fd listeners`,
    '  localpeer self',
    `  maxconn ${limit}`,
    ...(pings ? ['  external-check', '  insecure-fork-wanted'] : []),
    'defaults',
    '  timeout connect 2s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  retries 2',
    '  option redispatch',
    // A successor gets the table of who belongs to whom from its predecessor.
    ...(sticks ? ['peers tables', `  peer self unix@${join(folder, 'peers.sock')}`] : []),
    ...tree.listeners.flatMap((listener) => listenerLines(listener, tree, keep)),
  ];
  const servers: Record<string, readonly Server[]> = {};
  const bodies = tree.pools.map((pool) => {
    const lines = backendLines(pool, keep);
    servers[pool.id] = pool.members.map((member) => serverOf(member, pool, keep));
    return { lines, members: servers[pool.id]!.map(({ line }) => line) };
  });
  const textOf = (lines: readonly string[]) => `${lines.join('\n')}\n`;
  return {
    text: textOf([...head, ...bodies.flatMap(({ lines, members }) => [...lines, ...members])]),
    skeleton: textOf([...head, ...bodies.flatMap(({ lines }) => lines)]),
    servers,
    files,
  };
}
