import { describe, expect, it } from 'vitest';
import {
  assemble,
  assign,
  blackHoles,
  block,
  compare,
  constant,
  constrain,
  destinations,
  equivalence,
  type Expr,
  explore,
  type Field,
  type ForwardingRule,
  forward,
  fresh,
  IncrementalVerifier,
  type Instruction,
  type Layout,
  layouts,
  type Limits,
  type Network,
  read,
  readIptables,
  serviceMatrix,
  type Start,
} from '../index.ts';
import type { Solve } from '../solve/path-condition.ts';

const wide: Field = { kind: 'field', tag: 'T', offset: 0, width: 64 };
const wideLayout: Layout = {
  name: 'wide',
  setup: block(
    { op: 'createTag', tag: 'T', offset: 0 },
    { op: 'allocate', at: wide, width: 64 },
    assign(wide, fresh('w', 64)),
  ),
};
const start: Start = { port: 'x:1', layouts: [wideLayout] };

const box = (program: Instruction): Network => ({
  name: 'one box',
  boxes: new Map([['x', { name: 'x', kind: 'box' }]]),
  programs: new Map([['x:1', program]]),
  links: new Map(),
  routines: new Map(),
  unknown: new Map(),
});

/** A product of all bits: no diagram of it is small. Then one of so many ways. */
const square: Expr = { kind: 'binary', op: 'mul', left: read(wide), right: read(wide) };
const ways = (count: number, to = (i: number) => `x:${i + 2}`) =>
  block(constrain(compare(square, '==', constant(49n, 64))), {
    op: 'choose',
    branches: Array.from({ length: count }, (_, i) => forward(to(i))),
  });

/** Each answer takes five seconds of a clock of its own. */
function slowSolver(): { readonly clock: () => number; readonly solve: Solve; asked: number } {
  const slow = {
    asked: 0,
    clock: () => slow.asked * 5_000,
    solve: (): 'unknown' => {
      slow.asked += 1;
      return 'unknown';
    },
  };
  return slow;
}

describe('bounds', () => {
  const rules = Array.from(
    { length: 30 },
    (_, i) => `-A FORWARD -s 10.${i}.0.0/16 -p tcp -m tcp --dport ${7 * i + 1}:${9 * i + 40} -j ACCEPT`,
  );
  const text = ['*filter', ':FORWARD DROP [0:0]', ...rules, 'COMMIT\n'].join('\n');
  const { network } = assemble('fw', [
    { path: 'fw.rules', text },
    { path: 'fw.routes', text: '10.0.0.0/8 dev eth1\n192.168.0.0/16 dev eth0\n' },
  ]);
  const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');

  it.each<[keyof Limits, number]>([
    ['paths', 1],
    ['instructions', 3],
    ['milliseconds', 0],
    ['diagramNodes', 30],
  ])('of %s: exploration ends, and names it', (bound, most) => {
    const limits = { [bound]: most };
    const from: Start = { port: 'fw:eth0:in', layouts: tcp };
    expect(explore(network, from).bound).toBeUndefined();
    expect(explore(network, from, { limits }).bound).toBe(bound);
    expect(blackHoles(network, [from], { limits })).toMatchObject({ answer: 'unknown', bound });
    expect(equivalence(network, network, [from], { limits })).toMatchObject({ answer: 'unknown', bound });
  });

  it('of hops: what lies beyond is not known', () => {
    const lines = Array.from({ length: 9 }, (_, i) => ({ path: `r${i}.rt`, text: '0.0.0.0/0 192.0.2.1 eth0' }));
    const links = Array.from({ length: 8 }, (_, i) => `r${i}:eth0 -> r${i + 1}:in`).join('\n');
    const row = assemble('row', [...lines, { path: 'links', text: links }]).network;
    const from: Start = { port: 'r0:in', layouts: tcp };
    expect(blackHoles(row, [from]).answer).toBe('holds');
    expect(blackHoles(row, [from], { limits: { hops: 5 } })).toMatchObject({ answer: 'unknown', bound: 'hops' });
  });

  it('of time holds for the solver, too', () => {
    const limits = { milliseconds: 60_000 };
    const exploring = slowSolver();
    expect(explore(box(ways(200)), start, { limits, ...exploring }).bound).toBe('milliseconds');
    expect(exploring.asked).toBeLessThan(20);
    const comparing = slowSolver();
    const verdict = equivalence(box(ways(20, () => 'x:2')), box(ways(30, () => 'x:2')), [start], {
      limits,
      ...comparing,
    });
    expect(verdict).toMatchObject({ answer: 'unknown', bound: 'milliseconds' });
    expect(comparing.asked).toBeLessThan(40);
  });

  it('of time holds for tables whose rules are compared one by one', () => {
    const routes = Array.from({ length: 2_000 }, (_, i) => `2001:db8:${i.toString(16)}::/48 dev eth${i % 7}`).join(
      '\n',
    );
    const table = assemble('six', [{ path: 'r.rt6', text: routes }]).network;
    let now = 0;
    const { bound } = explore(
      table,
      { port: 'r:in', layouts: layouts.filter(({ name }) => name === 'ipv6/tcp') },
      { clock: () => (now += 1), limits: { milliseconds: 500 } },
    );
    expect(bound).toBe('milliseconds');
  });

  it('of memory are errors with a code where the answer has no room for them', () => {
    const forwards = Array.from(
      { length: 20 },
      (_, i): ForwardingRule => ({ kind: 'forward', box: 'r', address: i * 2 ** 24, length: 8, port: `${i % 3}` }),
    );
    const wiring = { links: [], lists: new Map(), vlans: new Map() };
    const code = { code: 'SF-VERIFY-BOUND', message: expect.stringContaining('bound hit: diagramNodes') };
    const thrown = (work: () => unknown) => {
      try {
        return work();
      } catch (error) {
        return error;
      }
    };
    const verifier = new IncrementalVerifier(wiring, ['r'], undefined, 60);
    expect(thrown(() => forwards.map((rule) => verifier.insert(rule)))).toMatchObject(code);
    expect(thrown(() => destinations(forwards, wiring, 'r', 10))).toMatchObject(code);
    const { value } = readIptables({ path: 'fw.rules', text });
    expect(thrown(() => serviceMatrix(value, { protocol: 'tcp', port: 80 }, { diagramNodes: 20 }))).toMatchObject(code);
  });
});
