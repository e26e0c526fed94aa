import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assemble, layouts, parseFilter, reach } from '../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');

describe('a folder as Symnet has it', () => {
  const files = [
    { path: 'A.rt', text: '10.0.0.1/32   192.168.12.2  out0\n10.0.0.2/32   192.168.12.2  out1\n' },
    { path: 'B.rt', text: '10.0.0.0/8   10.0.0.1  out0' },
    { path: 'client.click', text: 'FromDevice() -> out :: ToDevice()' },
    { path: 'links.links', text: 'A:A:out0 -> B:B:table\nA:A:out1 !> B:B:table\nclient:out:0 -> A:A:table' },
    { path: 'start.start', text: 'client:out:0' },
    { path: 'rules.rules', text: 'reach from client -> B src 127.0.0.1 .' },
  ];

  it('begins where it says, follows links that are switched on, and leaves its questions to be asked', () => {
    const { network, entries, readings } = assemble('net', files);
    expect(entries).toEqual(['client:out:0']);
    expect(readings.map(({ file, format }) => [file, format])).toEqual([
      ['A.rt', 'show ip cef'],
      ['B.rt', 'show ip cef'],
      ['client.click', 'click'],
      ['links.links', 'links'],
      ['rules.rules', 'policies'],
      ['start.start', 'starts'],
    ]);
    expect(readings.map(({ lines }) => lines['not understood'])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(readings[3]!.remarks).toEqual([{ line: 2, fate: 'without effect', why: 'switched off' }]);
    const asked = (packet: string) =>
      reach(network, { port: entries[0]!, layouts: tcp, assume: parseFilter(packet) }, 'B:out0').answer;
    expect([asked('dst host 10.0.0.1'), asked('dst host 10.0.0.2')]).toEqual(['holds', 'violated']);
  });

  it('is refused when it begins at a box that is not there', () => {
    const nowhere = { path: 'start.start', text: '\nelsewhere:in' };
    expect(() => assemble('net', [files[0]!, nowhere])).toThrow('start.start:2: there is no box elsewhere');
  });

  it('may have tables of an address and a port', () => {
    const { network, readings } = assemble('net', [
      { path: 'msan.switch', text: '00:00:00:00:00:04 1\n00:00:00:00:00:05 2\n' },
    ]);
    expect(readings[0]).toMatchObject({ format: 'mac table', lines: { used: 2, 'not understood': 0 } });
    const frames = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');
    expect(reach(network, { port: 'msan:in', layouts: frames }, 'msan:2').answer).toBe('holds');
  });
});

const data = fileURLToPath(new URL('../../../../shared/data/verification/', import.meta.url));
const absent = existsSync(data) ? '' : ' (skipped: the data is not there)';

/** Folder, and what is not recognised of it, or why it is refused. */
const folders: readonly (readonly [folder: string, outcome: readonly string[] | string])[] = [
  ['dragosdmtrsc+vera2/src/main/resources/nsdi19/topoA', []],
  ['dragosdmtrsc+vera2/src/main/resources/21cn', []],
  ['dragosdmtrsc+vera2/src/main/resources/asa', []],
  ['nets-cs-pub-ro+Symnet/src/main/resources/click_test_files/multiple_files/mul_vm_playground', []],
  ['nets-cs-pub-ro+Symnet/src/main/resources/click_test_files/multiple_files/trivial', ['paste']],
  ['nets-cs-pub-ro+Symnet/src/main/resources/full_facultatea', []],
  // Their start is a box of the newer folder, which has each table twice.
  ['nets-cs-pub-ro+Symnet/src/main/resources/facultatea', 'start.start:1: there is no box ec10'],
  ['nets-cs-pub-ro+Symnet/src/main/resources/new_facultatea', 'there are two MAC tables for the box acs-1'],
];

describe.skipIf(absent !== '')(`the folders of Symnet and netdiff${absent}`, () => {
  it.each(folders)('are read, or refused with the reason: %s', (folder, outcome) => {
    const files = readdirSync(data + folder).map((path) => ({
      path,
      text: readFileSync(`${data}${folder}/${path}`, 'utf8'),
    }));
    if (typeof outcome === 'string') {
      expect(() => assemble(folder, files)).toThrow(outcome);
      return;
    }
    const { readings, entries, network } = assemble(folder, files);
    expect(readings.filter(({ lines }) => lines['not understood'] > 0).map(({ file }) => file)).toEqual(outcome);
    expect(entries).toHaveLength(1);
    expect(network.programs.has(entries[0]!)).toBe(true);
  });

  it('have the packet that the topology of netdiff delivers, and no other', () => {
    const folder = `${data}${folders[0]![0]}`;
    const { network, entries } = assemble(
      'topoA',
      readdirSync(folder).map((path) => ({ path, text: readFileSync(`${folder}/${path}`, 'utf8') })),
    );
    const start = { port: entries[0]!, layouts: tcp };
    expect(reach(network, start, 'S').answer).toBe('holds');
    expect(reach(network, { ...start, assume: parseFilter('dst host 10.0.0.2') }, 'S').answer).toBe('violated');
  });
});
