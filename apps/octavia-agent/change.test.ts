import { expect, test } from 'vitest';
import { type Change, changeOf } from './change.ts';
import './errors.ts';
import { proxyTree } from './proxy-tree.ts';
import { operating } from './status.ts';
import type { Tree } from './things.ts';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const member = (n: number, more: object = {}) => ({
  member_id: id(n),
  pool_id: id(3),
  address: `10.0.0.${n}`,
  protocol_port: 80,
  weight: 1,
  ...more,
});

/** The calls one after the other, as the agent takes them. */
function after(...calls: readonly (readonly [string, ...unknown[]])[]): Change {
  let trees: readonly Tree[] = [];
  let last: Change | undefined;
  for (const [call, ...given] of calls) {
    last = changeOf(call, given, trees);
    trees = last.ended ? [] : [last.tree];
  }
  return last!;
}

const made = ['loadbalancer_create', { loadbalancer_id: id(1), vip_address: '10.0.0.9', vip_port_id: id(8) }] as const;
const listening = [
  'listener_create',
  { listener_id: id(2), loadbalancer_id: id(1), protocol: 'HTTP', protocol_port: 80 },
] as const;
const pooled = [
  'pool_create',
  { pool_id: id(3), loadbalancer_id: id(1), listener_id: id(2), protocol: 'HTTP', lb_algorithm: 'SOURCE_IP' },
] as const;
const base = [made, listening, pooled, ['member_create', member(4)]] as const;

test('a tree grows call by call as it comes whole in one', () => {
  const whole = after([
    'loadbalancer_create',
    {
      ...made[1],
      listeners: [{ ...listening[1], default_pool: { ...pooled[1], listener_id: undefined, members: [member(4)] } }],
      pools: [],
    },
  ]).tree;
  expect(proxyTree(after(...base).tree)).toEqual(proxyTree(whole));
  expect(proxyTree(whole)).toMatchObject({
    listeners: [{ id: id(2), addresses: ['10.0.0.9'], port: 80, mode: 'http', pool: id(3) }],
    pools: [{ id: id(3), algorithm: 'source-ip', members: [{ id: id(4), address: '10.0.0.4', weight: 1 }] }],
  });
});

test('what is below goes with what is above it, and is reported as gone', () => {
  const policy = { l7policy_id: id(6), listener_id: id(2), action: 'REJECT', position: 1 };
  const rule = { l7rule_id: id(7), l7policy_id: id(6), type: 'PATH', compare_type: 'EQUAL_TO', value: '/x' };
  const calls = [...base, ['l7policy_create', policy], ['l7rule_create', rule]] as const;
  const pool = after(...calls, ['pool_delete', { pool_id: id(3) }]);
  expect(pool.removed.map((one) => one.id)).toEqual([id(4), id(3)]);
  expect(proxyTree(pool.tree).listeners[0]).not.toHaveProperty('pool');
  const listener = after(...calls, ['listener_delete', { listener_id: id(2) }]);
  expect(listener.removed.map((one) => one.id)).toEqual([id(7), id(6), id(2)]);
  const all = after(...calls, ['loadbalancer_delete', { loadbalancer_id: id(1) }, true]);
  expect(all).toMatchObject({ ended: true });
  expect(all.removed.map((one) => one.id).toSorted()).toEqual([2, 3, 4, 6, 7].map(id));
});

test('a batch of members replaces those that are there', () => {
  const { tree, removed, touched } = after(...base, ['member_batch_update', id(3), [member(5, { weight: 0 })]]);
  expect(removed).toEqual([{ kind: 'member', id: id(4) }]);
  expect(Object.keys(tree.member)).toEqual([id(5)]);
  expect(touched).toContain(id(5));
  const states = operating(tree, []);
  expect(states.get(id(5))).toBe('DRAINING');
});

test('how members do makes how pools and load balancers do', () => {
  const monitor = { healthmonitor_id: id(5), pool_id: id(3), type: 'TCP', delay: 1, timeout: 1 };
  const { tree } = after(...base, ['member_create', member(14)], ['health_monitor_create', monitor]);
  const seen = (...status: ('up' | 'down')[]) =>
    operating(
      tree,
      [4, 14].map((n, i) => ({
        kind: 'member',
        id: id(n),
        status: status[i]!,
        connections: 0,
        connectionsTotal: 0,
        bytesIn: 0,
        bytesOut: 0,
        requestErrors: 0,
      })),
    );
  const words = (states: ReadonlyMap<string, string>) => [4, 14, 3, 1].map((n) => states.get(id(n)));
  expect(words(seen('up', 'up'))).toEqual(['ONLINE', 'ONLINE', 'ONLINE', 'ONLINE']);
  expect(words(seen('up', 'down'))).toEqual(['ONLINE', 'ERROR', 'DEGRADED', 'DEGRADED']);
  expect(words(seen('down', 'down'))).toEqual(['ERROR', 'ERROR', 'ERROR', 'ERROR']);
});

test.each([
  [{ ...listening[1], protocol: 'UDP' }, 'it has no listeners of protocol UDP'],
  [{ ...listening[1], insert_headers: { 'X-SSL-Client-CN': 'true' } }, 'it has no header X-SSL-Client-CN'],
])('what it does not do is refused by name', (listener, words) => {
  expect(() => proxyTree(after(made, ['listener_create', listener]).tree)).toThrow(words);
});

test('what is of nobody is refused', () => {
  expect(() => after(made, ['member_create', member(4)])).toThrow(`there is none`);
  expect(() => after(made, ['reboot', {}])).toThrow('nobody here knows this call');
});
