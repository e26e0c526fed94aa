import { tell } from './runtime.ts';
import { socketPath } from './render.ts';

/** A frontend, a backend or a server, as `show stat` has it (management guide, section 9.1). */
export interface ProxyCounters {
  readonly kind: 'listener' | 'pool' | 'member';
  /** Ids of the tree. */
  readonly id: string;
  readonly pool?: string;
  readonly status: 'up' | 'down' | 'draining' | 'disabled' | 'unasked';
  readonly connections: number;
  readonly connectionsTotal: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly requestErrors: number;
}

export async function readCounters(folder: string): Promise<readonly ProxyCounters[]> {
  return countersOf(await tell(socketPath(folder), 'show stat'));
}

export function countersOf(csv: string): readonly ProxyCounters[] {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  return lines.flatMap((line): readonly ProxyCounters[] => {
    if (line.trim() === '') return [];
    const fields = line.split(',');
    const field = (name: string) => fields[columns.indexOf(name)] ?? '';
    const count = (name: string) => Number(field(name)) || 0;
    const [proxy, server] = [field('pxname'), field('svname')];
    const common = {
      status: statusOf(field('status')),
      connections: count('scur'),
      connectionsTotal: count('stot'),
      bytesIn: count('bin'),
      bytesOut: count('bout'),
      requestErrors: count('ereq'),
    };
    if (server === 'FRONTEND' && proxy.startsWith('f-')) return [{ kind: 'listener', id: proxy.slice(2), ...common }];
    if (!proxy.startsWith('b-')) return [];
    const pool = proxy.slice(2);
    if (server === 'BACKEND') return [{ kind: 'pool', id: pool, ...common }];
    return server.startsWith('m-') ? [{ kind: 'member', id: server.slice(2), pool, ...common }] : [];
  });
}

function statusOf(status: string): ProxyCounters['status'] {
  if (status === 'no check') return 'unasked';
  if (status.startsWith('MAINT')) return 'disabled';
  if (status.startsWith('DRAIN')) return 'draining';
  return status.startsWith('DOWN') || status.startsWith('NOLB') ? 'down' : 'up';
}
