import { SuperfluidityError } from '@superfluidity/core';
import type { NamespaceName } from '@superfluidity/netlink';
import './errors.ts';
import { LIMITS } from './limits.ts';
import { runOnNode } from './run.ts';

export interface StaleFlows {
  /** `address:port` of the Service. */
  readonly service: string;
  /** Where they go: a member that has gone, or the Service itself when it had none. */
  readonly to: string;
}

const FLOW = /^.*?\bsrc=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?\bsrc=(\S+) dst=\S+ sport=(\d+) dport=\d+/;

/** Of what conntrack(8) lists, flows to Services that go to none of their members. Each kind once. */
export function staleFlows(listed: string, datagrams: ReadonlyMap<string, ReadonlySet<string>>): readonly StaleFlows[] {
  const found = new Map<string, StaleFlows>();
  for (const line of listed.split('\n')) {
    const [, address, port, from, fromPort] = FLOW.exec(line) ?? [];
    const service = `${address}:${port}`;
    const to = `${from}:${fromPort}`;
    const members = datagrams.get(service);
    if (members !== undefined && !members.has(to)) found.set(`${service} ${to}`, { service, to });
  }
  return [...found.values()];
}

/**
 * A flow of UDP has no end of its own: a client that goes on sending from the same port would be sent to a member that has gone for
 * ever. Throws `SF-KURYR-FLOWS`.
 */
export async function removeStaleFlows(
  namespace: NamespaceName,
  datagrams: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<number> {
  // A node without Services of UDP needs no conntrack(8), and is not made to wait for it at each change.
  if (datagrams.size === 0) return 0;
  const udp = ['-f', 'ipv4', '-p', 'udp'] as const;
  const listed = await conntrack(namespace, '-L', ...udp);
  const stale = staleFlows(listed, datagrams).slice(0, LIMITS.staleEndpoints);
  for (const { service, to } of stale) {
    const [address, port] = service.split(':') as [string, string];
    const [from, fromPort] = to.split(':') as [string, string];
    const original = ['--orig-dst', address, '--orig-port-dst', port] as const;
    await conntrack(namespace, '-D', ...udp, ...original, '--reply-src', from, '--reply-port-src', fromPort);
  }
  return stale.length;
}

async function conntrack(namespace: NamespaceName, ...args: readonly string[]): Promise<string> {
  const told = await runOnNode(namespace, ['conntrack', ...args]).catch((error: unknown) => ({
    code: null,
    stdout: '',
    stderr: String(error),
  }));
  // 1 where it finds none to remove: they have ended by themselves.
  if (told.code === 0 || (told.code === 1 && /0 flow entries have been/.test(told.stderr))) return told.stdout;
  throw new SuperfluidityError('SF-KURYR-FLOWS', {
    doing: 'look for flows of UDP by conntrack(8)',
    reason: told.stderr.slice(0, 300) || 'it did not end as it should',
  });
}
