import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assign,
  block,
  branch,
  compare,
  constant,
  drop,
  field,
  forward,
  type Instruction,
  layouts,
  masked,
  type Network,
  nothing,
  read,
} from '../index.ts';
import { checkFormula } from './check.ts';
import { type Policy, parsePolicies } from './parse.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const src = field('IPv4.src');
const isPrivate = masked(read(src), 0xc0a80000n, 0xffff0000n);

/** The translator of the figure in D6.1: what is not known goes to the controller, what is private is translated. */
const nat: Instruction = branch(
  isPrivate,
  block(assign(src, constant(0x01020304n, 32)), forward('nat:ext')),
  branch(compare(read(field('TCP.dport')), '==', constant(22, 16)), drop('no login'), forward('nat:cpu')),
);

const network: Network = {
  name: 'nat',
  boxes: new Map([
    ['nat', { name: 'nat', kind: 'test' }],
    ['internet', { name: 'internet', kind: 'host' }],
  ]),
  programs: new Map([['nat:in', nat]]),
  links: new Map([['nat:ext', ['internet:in']]]),
  routines: new Map(),
};

const policies = (text: string, of = network) => parsePolicies({ path: 'p.policy', text }, of);

function answers(text: string, of = network): Readonly<Record<string, string>> {
  return Object.fromEntries(policies(text, of).map((policy) => [policy.name, check(policy, of).answer]));
}

function check({ name, formula, from, packets, setup }: Policy, of: Network) {
  const starts = (from.length > 0 ? from : ['nat:in']).map((port) => ({
    port,
    layouts: tcp,
    setup,
    ...(packets === undefined ? {} : { assume: packets }),
  }));
  return checkFormula(of, name, formula, starts);
}

describe('policies', () => {
  it('of the published examples', () => {
    expect(
      answers(`
        # D6.1, section 5.1.2
        policy all-to-the-controller: from nat:in check forall F (port == nat:cpu)
        policy all-dropped: from nat check AG port not in {nat:cpu, nat:ext}
        policy dropped: from nat:in packets { not src net 192.168.0.0/16 && dst port 22 } check ∀G port not in {nat:cpu, nat:ext}
        policy public-is-reachable: from nat:in check AG (not { src net 192.168.0.0/16 } -> (EF port == internet or EF dropped or EF port == nat:cpu))
        policy private-reaches: from nat packets { src net 192.168.0.0/16 } check AF at internet
        policy some-reach: from nat check EF at internet and EF port == nat:cpu
        policy none-reach: from nat packets { dst port 22 } check EF port == nat:cpu and not EF looped
      `),
    ).toEqual({
      'all-to-the-controller': 'violated',
      'all-dropped': 'violated',
      dropped: 'holds',
      'public-is-reachable': 'holds',
      'private-reaches': 'holds',
      'some-reach': 'holds',
      'none-reach': 'violated',
    });
  });

  it('know what a packet was when it was sent', () => {
    expect(
      answers(`
        policy kept: check AG (at internet -> kept IPv4.dst, TCP.dport)
        policy translated: check AG (at internet -> kept IPv4.src)
        policy untouched: packets { not src net 192.168.0.0/16 } check AG kept IPv4.src
      `),
    ).toEqual({ kept: 'holds', translated: 'violated', untouched: 'holds' });
  });

  it('come with a packet', () => {
    const [policy] = policies('policy no-private: check AG not (at nat:cpu and { dst port 80 })');
    const { answer, paths } = check(policy!, network);
    expect(answer).toBe('violated');
    expect(paths[0]!.hops.map(({ port }) => port)).toEqual(['nat:in', 'nat:cpu']);
    expect(paths[0]!.witness()!.sent.values.get('TCP.dport')).toBe(80n);
  });

  it('may be rules of Symnet', () => {
    expect(
      answers(`
        reach from nat src 192.168.1.1 && dst port 80 -> internet src 1.2.3.4 ; dst && TCP.dport .
        reach from nat -> internet ; src .
        reach from nat dst port 22 -> nat:cpu .
      `),
    ).toEqual({ 'rule-1': 'holds', 'rule-2': 'violated', 'rule-3': 'violated' });
  });

  it('are refused where they are wrong', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['', /p\.policy:1:1: expected a policy, found the end/],
      ['policy a:\n  check AG at intenet', /p\.policy:2:15: .*did you mean 'internet'/],
      ['policy a: check EF { dst prt 80 }', /p\.policy:1:20: expected a filter: column/],
      ['policy a: check (true', /p\.policy:1:22: expected '\)', found the end/],
      ['policy a: check kept IPv4.scr', /did you mean 'IPv4.src'/],
      ['policy a: check true policy a: check true', /another name than 'a'/],
      ['policy a: check { tcp', /expected '}' before the end of the line/],
      [`policy a: check ${'('.repeat(200)}`, /at most 100 parts/],
      [`policy a: check ${'not '.repeat(200)} true`, /at most 100 parts/],
      ['reach from nat -> internet', /expected '\.', found the end/],
      ['policy a: from internet, nowhere check true', /nowhere/],
    ];
    for (const [text, message] of wrong) expect(() => policies(text), text).toThrow(message);
  });

  it('are read or refused with a code, whatever they are', () => {
    const words = fc.constantFrom(
      'policy',
      'x:',
      'from',
      'nat',
      'check',
      'AG',
      'EF',
      '(',
      ')',
      '{ tcp }',
      '{',
      '->',
      'and',
      'not',
      'at',
      'port',
      'in',
      'kept',
      'IPv4.src',
      'reach',
      '.',
      ';',
      '\n',
      '#',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(text, (any) => {
        try {
          policies(any);
        } catch (error) {
          expect((error as { code?: string }).code).toBe('SF-VERIFY-QUESTION');
        }
      }),
      { numRuns: 1000 },
    );
  });

  const samples = fileURLToPath(
    new URL(
      '../../../../shared/data/verification/nets-cs-pub-ro+Symnet/src/main/resources/spec_lang_tests/',
      import.meta.url,
    ),
  );
  const names = (() => {
    try {
      return readdirSync(samples);
    } catch {
      return [];
    }
  })();
  it.skipIf(names.length === 0)('are read as Symnet has them (skipped without its files)', () => {
    const ports = ['client:0', 'a:a', 'b:d', 'c:f', 'sth:source', 'internet:0'];
    const of: Network = {
      ...network,
      boxes: new Map(),
      programs: new Map(ports.map((port) => [port, nothing])),
    };
    for (const name of names) {
      const text = readFileSync(samples + name, 'utf8');
      expect(policies(text, of).length, name).toBe(text.split('reach').length - 1);
    }
  });
});
