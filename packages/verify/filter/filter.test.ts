import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSuperfluidityError } from '@superfluidity/core';
import { interpret } from '../engine/interpret.ts';
import type { Packet } from '../engine/path.ts';
import { constant, meta, type Condition } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, branch, forward, type Instruction } from '../ir/instruction.ts';
import { layout } from '../ir/layouts.ts';
import type { Network } from '../network.ts';
import type { Dialect } from './ast.ts';
import { filterCondition, PAINT } from './condition.ts';
import { printFilter } from './print.ts';
import { readFilter } from './parse.ts';
import { filters, matches, packets } from './random.ts';

const dialects: readonly Dialect[] = ['tcpdump', 'click'];
const shown = (text: string, dialect: Dialect = 'tcpdump') => printFilter(readFilter(text, dialect));

describe('the language of packets', () => {
  it.each(dialects)('%s reads what it prints', (dialect) => {
    fc.assert(
      fc.property(filters(dialect), (filter) => {
        expect(readFilter(printFilter(filter), dialect)).toEqual(filter);
      }),
      { numRuns: 250 },
    );
  });

  it.each([
    // The example of the project's guide: the direction holds on, as in pf.conf.
    ['tcp && dst 10.0.0.0/8 port 80', 'proto 6 and dst net 10.0.0.0/8 and dst port 80'],
    ['tcp && dst 10.0.0.0/8 and port 80', 'proto 6 and dst net 10.0.0.0/8 and port 80'],
    ['src port 80 or 81', 'src port 80 or src port 81'],
    ['src host 10.0.0.1 or 10.0.0.2', 'src host 10.0.0.1 or src host 10.0.0.2'],
    ['src or dst port 80-90', 'port 80-90'],
    ['src && dst net 10', 'src and dst net 10.0.0.0/8'],
    ['dst net 172.16.2.254 mask 255.255.255.0', 'dst net 172.16.2.0/24'],
    ['! tcp port www', 'not tcp port 80'],
    ['ip6 dst 2001:db8::/32', 'ip6 dst net 2001:db8::/32'],
    ['icmp type echo', 'icmp type 8'],
    ['tcp[13] & 0x12 = 2', 'tcp[13:1] & 18 == 2'],
    ['ip ttl < 5 ? tcp : udp', 'ip ttl < 5 ? proto 6 : proto 17'],
    ['ether host 0011.3235.71b3', 'ether host 00:11:32:35:71:b3'],
    ['vlan and vlan 7', 'vlan and vlan 7'],
    ['icmp', 'ip proto 1'],
    ['all', 'true'],
  ])('%s is %s', (text, printed) => {
    expect(shown(text)).toBe(printed);
  });

  it.each([
    // As IPClassifier has it: a word "port" begins anew, a bare value goes on.
    ['dst 10.0.0.0/8 port 80', 'dst net 10.0.0.0/8 and port 80'],
    ['tcp dst port 21', 'tcp dst port 21'],
    ['dst tcp port 21', 'tcp dst port 21'],
    ['tcp opt syn or ack', 'tcp opt 2 or tcp opt 16'],
    ['src www', 'src port 80'],
    ['paint color 5', 'paint 5'],
    ['icmp', 'proto 1'],
  ])('in Click, %s is %s', (text, printed) => {
    expect(shown(text, 'click')).toBe(printed);
  });

  it.each([
    ['tcp and', 8, 'a test'],
    ['(tcp', 5, '")"'],
    ['port 99999', 6, '0 to 65535'],
    ['src', 4, 'an address'],
    ['tcp port 90-80', 10, 'a range'],
    ['host 10.0.0.300', 6, 'an address'],
    ['ip6 host 10.0.0.1', 10, 'an address of ip6'],
    ['tcp ; rm', 5, 'an operator'],
    ['src dst host 10.0.0.1', 5, 'one direction'],
    ['tcp[20] = 1', 5, 'within the 20'],
    ['tcp[19] = 1 )', 13, 'the end'],
    ['ip ttl', 7, 'a number'],
  ])('refuses %s at column %i', (text, column, expected) => {
    let thrown: unknown;
    try {
      readFilter(text, 'tcpdump');
    } catch (error) {
      thrown = error;
    }
    expect(isSuperfluidityError(thrown, 'SF-VERIFY-QUESTION')).toBe(true);
    expect(String(thrown)).toContain(`column ${column}: expected`);
    expect(String(thrown)).toContain(expected);
  });

  it('answers any text with a filter or with a coded error', () => {
    const word = fc.constantFrom(
      ...'src dst and or not ( ) && || ! tcp udp ip ip6 host net port proto 80 80-90 10.0.0.0/8 ::1/64 ether vlan ? : [ ] & = mask frag'.split(
        ' ',
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...dialects),
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 12 }).map((w) => w.join(' ')),
        ),
        (dialect, text) => {
          try {
            const filter = readFilter(text, dialect);
            expect(readFilter(printFilter(filter), dialect)).toEqual(filter);
          } catch (error) {
            if (!isSuperfluidityError(error, 'SF-VERIFY-QUESTION')) throw error;
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(() => readFilter('('.repeat(60_000), 'click')).toThrow('levels');
    expect(() => readFilter('not '.repeat(15_000), 'click')).toThrow('expected');
  });
});

describe('what a filter means', () => {
  it.each(dialects)('in %s is the same to the interpreter of the intermediate representation', (dialect) => {
    let hits = 0;
    fc.assert(
      fc.property(filters(dialect), fc.array(packets, { minLength: 6, maxLength: 6 }), (filter, sample) => {
        const network = asking(filterCondition(filter, dialect, 'box'));
        for (const packet of sample) {
          const [path, ...more] = interpret(network, 'box:in', born(packet));
          expect(more).toEqual([]);
          expect([path!.why, path!.port]).toEqual([undefined, matches(filter, packet, dialect) ? 'box:yes' : 'box:no']);
          if (path!.port === 'box:yes') hits += 1;
        }
      }),
      { numRuns: 200 },
    );
    expect(hits).toBeGreaterThan(200);
  });

  it('knows tags of VLANs and colours of Click', () => {
    const at = (...values: [string, bigint][]) => setupOf({ layout: 'ether/other', values: new Map(values) });
    const yes = (text: string, dialect: Dialect, setup: Instruction) =>
      interpret(asking(filterCondition(readFilter(text, dialect), dialect, 'box')), 'box:in', setup)[0]!.port ===
      'box:yes';
    const tagged = at(['Vlan.id', 7n], ['Vlan.type', 0x0806n], ['Ether.type', 0x8100n]);
    expect(yes('vlan', 'tcpdump', tagged)).toBe(true);
    expect(yes('vlan 7', 'tcpdump', tagged)).toBe(true);
    expect(yes('vlan 8', 'tcpdump', tagged)).toBe(false);
    expect(yes('ether proto arp', 'tcpdump', tagged)).toBe(true);
    expect(yes('ether proto vlan', 'tcpdump', tagged)).toBe(true);
    expect(yes('paint 5', 'click', block(tagged, assign(meta(PAINT, 'box'), constant(5, 8))))).toBe(true);
    expect(yes('paint 0', 'click', block(tagged, assign(meta(PAINT, 'box'), constant(5, 8))))).toBe(false);
    expect(yes('paint 5', 'click', tagged)).toBe(false);
  });
});

function asking(condition: Condition): Network {
  const programs = new Map([['box:in', branch(condition, forward('box:yes'), forward('box:no'))]]);
  return { name: 'n', boxes: new Map(), programs, links: new Map(), routines: new Map() };
}

/** With the layout that a packet of the engine has. */
function born({ layout: name, values }: Packet): Instruction {
  const assigned = [...values].map(([key, value]) => assign(field(key), constant(value, field(key).width)));
  return block(layout(name)!.setup, ...assigned);
}

function setupOf({ values }: Packet): Instruction {
  return block(
    { op: 'createTag', tag: 'L2', offset: 0 },
    { op: 'createTag', tag: 'L3', offset: 144 },
    { op: 'createTag', tag: 'L4', offset: 144 + 320 },
    ...[...values].flatMap(([name, value]) => {
      const at = field(name);
      return [{ op: 'allocate', at, width: at.width } as const, assign(at, constant(value, at.width))];
    }),
  );
}
