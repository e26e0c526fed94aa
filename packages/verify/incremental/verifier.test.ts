import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Header, HeaderWidths } from './headers.ts';
import type { AccessRule, ForwardingRule, NetworkRule } from './rules.ts';
import { type End, IncrementalVerifier, type Wiring } from './verifier.ts';

/** Packets of seven bits: each of the 128 is tried after each update. */
const widths: HeaderWidths = { destination: 4, source: 2, protocol: 1, sourcePort: 0, destinationPort: 0 };
const headers: readonly Header[] = Array.from({ length: 128 }, (_, n) => ({
  destination: n >> 3,
  source: (n >> 1) & 3,
  protocol: n & 1,
  sourcePort: 0,
  destinationPort: 0,
}));

const boxes = ['a', 'b', 'c', 'd'];
const ports = ['1', '2', '3', 'vlan7'];
const lists = ['L', 'M'];

const wirings: fc.Arbitrary<Wiring> = fc
  .array(
    fc.record({
      from: fc.constantFrom(...boxes),
      out: fc.constantFrom('1', '2', '3'),
      to: fc.constantFrom(...boxes),
      entry: fc.constantFrom('1', '2', '3'),
      list: fc.option(fc.constantFrom(...lists), { nil: undefined, freq: 2 }),
    }),
    { minLength: 4, maxLength: 9 },
  )
  .map((wires) => {
    const applied = new Map<string, string>();
    const links = wires.flatMap(({ from, out, to, entry, list }, i) => {
      const [begin, end]: End[] = [
        { node: from, port: out },
        { node: to, port: entry },
      ];
      if (list === undefined) return [{ from: begin!, to: end! }];
      const node = `${list}_${i}`;
      applied.set(node, list);
      return [
        { from: begin!, to: { node, port: 'in' } },
        { from: { node, port: 'permit' }, to: end! },
      ];
    });
    return { links, lists: applied, vlans: new Map(boxes.map((box) => [`${box} vlan7`, ['1', '2']])) };
  });

const forwards: fc.Arbitrary<ForwardingRule> = fc
  .record({ box: fc.constantFrom(...boxes), value: fc.nat(15), length: fc.nat(4), port: fc.constantFrom(...ports) })
  .map(({ box, value, length, port }) => ({
    kind: 'forward',
    box,
    address: (value >> (4 - length)) << (4 - length),
    length,
    port,
  }));

const accesses: fc.Arbitrary<AccessRule> = fc.record(
  {
    kind: fc.constant('access' as const),
    list: fc.constantFrom(...lists),
    action: fc.constantFrom('permit' as const, 'deny' as const),
    priority: fc.nat(5),
    source: fc.record({ value: fc.nat(3), wildcard: fc.nat(3) }),
    destination: fc.record({ value: fc.nat(15), wildcard: fc.nat(15) }),
    protocol: fc.constantFrom({ low: 0, high: 0 }, { low: 1, high: 1 }),
  },
  { requiredKeys: ['kind', 'list', 'action', 'priority'] },
);

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: forwards },
    { weight: 2, arbitrary: accesses },
    { weight: 2, arbitrary: fc.nat(40) },
  ),
  { minLength: 5, maxLength: 30 },
);

const within = (value: number, masked: { readonly value: number; readonly wildcard: number } | undefined) =>
  masked === undefined || (value & ~masked.wildcard) === (masked.value & ~masked.wildcard);

/** What the rules say, one packet at a time. */
class Plain {
  readonly rules: NetworkRule[] = [];
  readonly #wiring: Wiring;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
  }

  port(box: string, { destination }: Header): string | undefined {
    const matching = this.rules.filter(
      (rule): rule is ForwardingRule =>
        rule.kind === 'forward' &&
        rule.box === box &&
        destination >> (4 - rule.length) === rule.address >> (4 - rule.length),
    );
    return matching.toSorted((x, y) => y.length - x.length)[0]?.port;
  }

  permits(list: string, header: Header): boolean {
    const matching = this.rules.filter(
      (rule): rule is AccessRule =>
        rule.kind === 'access' &&
        rule.list === list &&
        within(header.source, rule.source) &&
        within(header.destination, rule.destination) &&
        (rule.protocol === undefined ||
          (header.protocol >= rule.protocol.low && header.protocol <= rule.protocol.high)),
    );
    return matching.toSorted((x, y) => y.priority - x.priority)[0]?.action === 'permit';
  }

  /** Where the packet leaves after it left there. */
  next({ node, port }: End, header: Header): End[] {
    return this.#wiring.links
      .filter(({ from }) => from.node === node && from.port === port)
      .flatMap(({ to }) => {
        const list = this.#wiring.lists.get(to.node);
        if (list !== undefined) return this.permits(list, header) ? [{ node: to.node, port: 'permit' }] : [];
        const out = this.port(to.node, header);
        if (out === undefined || out === to.port) return [];
        const wires = out === 'vlan7' ? ['1', '2'] : [out];
        return wires.filter((wire) => wire !== to.port).map((wire) => ({ node: to.node, port: wire }));
      });
  }

  /** Where a box sends the packet to one that has no route for it. */
  holes(header: Header): ReadonlySet<string> {
    const found = new Set<string>();
    const walk = (from: string, { node, port }: End, been: readonly string[]): void => {
      for (const { from: begin, to } of this.#wiring.links) {
        if (begin.node !== node || begin.port !== port) continue;
        const list = this.#wiring.lists.get(to.node);
        if (list === undefined) {
          if (this.port(to.node, header) === undefined) found.add(`${from}>${to.node} ${to.port}`);
        } else if (!been.includes(to.node) && this.permits(list, header)) {
          walk(from, { node: to.node, port: 'permit' }, [...been, to.node]);
        }
      }
    };
    for (const box of boxes) {
      const out = this.port(box, header);
      for (const wire of out === 'vlan7' ? ['1', '2'] : out === undefined ? [] : [out]) {
        walk(`${box} ${wire}`, { node: box, port: wire }, []);
      }
    }
    return found;
  }

  /** All circles, by their ports. */
  circles(header: Header): ReadonlySet<string> {
    const found = new Set<string>();
    const walk = (end: End, path: readonly string[]): void => {
      const key = `${end.node} ${end.port}`;
      const at = path.indexOf(key);
      if (at < 0) for (const next of this.next(end, header)) walk(next, [...path, key]);
      else found.add(canonical(path.slice(at)));
    };
    for (const box of boxes) {
      const out = this.port(box, header);
      for (const wire of out === 'vlan7' ? ['1', '2'] : out === undefined ? [] : [out]) {
        walk({ node: box, port: wire }, []);
      }
    }
    return found;
  }
}

function canonical(keys: readonly string[]): string {
  const first = keys.indexOf([...keys].sort()[0]!);
  return [...keys.slice(first), ...keys.slice(0, first)].join('>');
}

describe('the incremental verifier', () => {
  it('has as many atoms as there are behaviours, and finds each circle and each black hole when it comes', () => {
    let closed = 0;
    let found = 0;
    fc.assert(
      fc.property(wirings, steps, (wiring, list) => {
        const verifier = new IncrementalVerifier(wiring, boxes, widths);
        const plain = new Plain(wiring);
        let before = headers.map((header) => plain.circles(header));
        let holesBefore = headers.map((header) => plain.holes(header));
        for (const step of list) {
          let update;
          if (typeof step === 'number') {
            const gone = plain.rules[step];
            if (gone === undefined) continue;
            plain.rules.splice(step, 1);
            update = verifier.remove(gone);
          } else {
            if (step.kind === 'access' && ![...wiring.lists.values()].includes(step.list)) continue;
            plain.rules.push(step);
            update = verifier.insert(step);
          }
          const { loops } = update;
          const forwarding = new Set(headers.map((header) => boxes.map((box) => plain.port(box, header)).join()));
          const used = [...new Set(wiring.lists.values())];
          const filtering = new Set(headers.map((header) => used.map((each) => plain.permits(each, header)).join()));
          expect(verifier.atoms).toEqual({ forwarding: forwarding.size, filtering: filtering.size });
          const now = headers.map((header) => plain.circles(header));
          const told = new Set(loops.map(({ ends }) => canonical(ends.map(({ node, port }) => `${node} ${port}`))));
          const added = new Set(now.flatMap((circles, i) => [...circles].filter((circle) => !before[i]!.has(circle))));
          for (const circle of added) expect(told).toContain(circle);
          for (const { ends, packet } of loops) {
            const circle = canonical(ends.map(({ node, port }) => `${node} ${port}`));
            expect(plain.circles(packet)).toContain(circle);
          }
          closed += added.size;
          before = now;
          const holes = headers.map((header) => plain.holes(header));
          const lost = update.blackHoles().map(({ from, to, packet, rules }) => {
            const hole = `${from.node} ${from.port}>${to.node} ${to.port}`;
            expect(plain.holes(packet)).toContain(hole);
            expect(rules[0]).toMatchObject({ box: from.node });
            return hole;
          });
          for (const [i, all] of holes.entries()) {
            for (const hole of all) if (!holesBefore[i]!.has(hole)) expect(lost).toContain(hole);
          }
          found += lost.length;
          holesBefore = holes;
        }
      }),
      { numRuns: 40 },
    );
    expect(closed).toBeGreaterThan(5);
    expect(found).toBeGreaterThan(5);
  }, 60_000);

  it('is after any updates what it is when the rules that are left are put into a new one', () => {
    fc.assert(
      fc.property(wirings, steps, (wiring, list) => {
        const verifier = new IncrementalVerifier(wiring, boxes, widths);
        const left: NetworkRule[] = [];
        for (const step of list) {
          if (typeof step === 'number') {
            for (const gone of left.splice(step, 1)) verifier.remove(gone);
          } else if (step.kind === 'forward' || [...wiring.lists.values()].includes(step.list)) {
            left.push(step);
            verifier.insert(step);
          }
        }
        const fresh = new IncrementalVerifier(wiring, boxes, widths);
        for (const rule of left) fresh.insert(rule);
        expect(verifier.atoms).toEqual(fresh.atoms);
        const ends = ({ loops }: { loops: readonly { readonly ends: readonly End[] }[] }) =>
          loops.map((loop) => loop.ends);
        // Rules for the same packets are told apart by when they came, which only the ones that decide show.
        for (const rule of left.filter((each) => each.kind === 'forward')) {
          const [here, there] = [verifier.remove(rule), fresh.remove(rule)];
          expect(here.moved).toBe(there.moved);
          expect(ends(here).length).toBe(ends(there).length);
          expect(here.blackHoles().length).toBe(there.blackHoles().length);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('names the rules of a circle, and forgets it when one of them goes', () => {
    const [x, y]: ForwardingRule[] = [
      { kind: 'forward', box: 'x', address: 0, length: 1, port: 'right' },
      { kind: 'forward', box: 'y', address: 0, length: 0, port: 'left' },
    ];
    const ends = { x: { node: 'x', port: 'right' }, y: { node: 'y', port: 'left' } };
    const back = { x: { node: 'x', port: 'in' }, y: { node: 'y', port: 'in' } };
    const verifier = new IncrementalVerifier({
      links: [
        { from: ends.x, to: back.y },
        { from: ends.y, to: back.x },
      ],
      lists: new Map(),
      vlans: new Map(),
    });
    const first = verifier.insert(x!);
    expect(first.loops).toEqual([]);
    expect(first.blackHoles()).toMatchObject([{ from: ends.x, to: back.y, rules: [x] }]);
    const [loop] = verifier.insert(y!).loops;
    expect(loop!.ends).toEqual([ends.x, ends.y]);
    expect(loop!.rules).toEqual([x, y]);
    expect(loop!.packet.destination).toBeLessThan(2 ** 31);
    expect(verifier.remove(x!).loops).toEqual([]);
    expect(() => first.blackHoles()).toThrow(/has changed since/);
    expect(verifier.insert({ ...x!, address: 2 ** 31, length: 32 }).loops).toHaveLength(1);
    expect(() => verifier.remove(x!)).toThrow(/no such rule/);
    expect(() => verifier.insert({ ...x!, box: 'z' })).toThrow(/no box 'z'/);
  });
});
