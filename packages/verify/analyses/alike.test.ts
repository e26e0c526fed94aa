import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.ts';
import { equivalence } from '../equivalence/equivalence.ts';
import { layouts } from '../ir/layouts.ts';
import type { InputFile } from '../read/reader.ts';
import { alike } from './alike.ts';

/** Of three servers with the default security group, as Neutron and its node said it in the laboratory. */
function dumpOf(
  folder: 'intent' | 'realised',
  change: (text: string) => string = (text) => text,
): readonly InputFile[] {
  const at = new URL(`testing/audit/${folder}/`, import.meta.url);
  return readdirSync(at).map((path) => ({ path, text: change(readFileSync(new URL(path, at), 'utf8')) }));
}

const tcp = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');

function audit(realised: readonly InputFile[], intent = dumpOf('intent')) {
  const [a, b] = [assemble('intent', intent), assemble('realised', realised)];
  const found = alike(a, b)!;
  const starts = found.starts.filter(({ port }) => port === 'a:in').map((start) => ({ ...start, layouts: tcp }));
  return { found, verdict: equivalence(a.network, b.network, starts, { ports: found.ports }) };
}

const without = (pattern: RegExp) => (text: string) =>
  text
    .split('\n')
    .filter((line) => !pattern.test(line))
    .join('\n');

describe('what a tenant asked for, beside what a node has', () => {
  it('is compared at the ports that both call by the same identifier', () => {
    const { found, verdict } = audit(dumpOf('realised'));
    expect([...found.ports]).toEqual([
      ['c:in', 'br-int-lab:tap09ab6cdb-2d:in'],
      ['c:out', 'br-int-lab:tap09ab6cdb-2d:out'],
      ['a:in', 'br-int-lab:tapb7ea920e-f1:in'],
      ['a:out', 'br-int-lab:tapb7ea920e-f1:out'],
      ['b:in', 'br-int-lab:tapd0bc6b37-34:in'],
      ['b:out', 'br-int-lab:tapd0bc6b37-34:out'],
    ]);
    expect(found.alone).toEqual([]);
    expect(verdict).toMatchObject({ answer: 'holds', differences: [] });
  }, 60_000);

  it('differs where the node lost a flow of a group, and lets through what nobody asked for', () => {
    const lost = audit(dumpOf('realised', without(/table=82,.*ct_state=\+new-est,ip,reg6=0x1,nw_src=10\.77\.1\.55 /)));
    expect(lost.verdict.answer).toBe('violated');
    expect(new Set(lost.verdict.differences.flatMap(({ inA }) => inA.map(({ port }) => port)))).toEqual(
      new Set(['b:out', 'c:out']),
    );
    const open = (text: string) =>
      text.replaceAll(/(table=71, priority=65,ip,reg5=0x3,in_port="\S+),dl_src=\S+,nw_src=10\.77\.1\.55 /g, '$1 ');
    const forged = audit(dumpOf('realised', open));
    expect(forged.verdict.answer).toBe('violated');
    expect(forged.verdict.differences[0]!.inA.map(({ why }) => why)).toEqual([
      'port security: an address that is not of the port',
    ]);
  }, 60_000);

  it('names the ports that the nodes do not have', () => {
    const { found } = audit(
      dumpOf('realised', (text) => text.replaceAll('d0bc6b37-34f0-47c0-8e5e-507def10df9e', 'other')),
    );
    expect(found.alone).toEqual(['b:in']);
    expect(alike(assemble('a', dumpOf('intent')), assemble('b', []))).toBeUndefined();
  });
});
