import { isSuperfluidityError } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputLimits } from '../limits.ts';
import { assemble } from './assemble.ts';
import { samples } from './testing/samples.ts';

/** Routers for the samples that name boxes. */
const boxes = ['a', 'b'].map((name) => ({ path: `${name}.fib`, text: '10.0.0.0/8 1\n' }));

/** What the reader of a file made of it: a fate for every line, or a coded error. Anything else is thrown on. */
function read(path: string, text: string): string {
  try {
    const { readings } = assemble('net', path.endsWith('.sefl') ? [{ path, text }] : [...boxes, { path, text }]);
    const { format, lines } = readings.find(({ file }) => file === path)!;
    const counted = Object.values(lines).reduce((sum, count) => sum + count, 0);
    expect([path, counted]).toEqual([path, text.split('\n').length]);
    return format;
  } catch (error) {
    if (isSuperfluidityError(error)) return error.code;
    throw new Error(`${path} of ${JSON.stringify(text.slice(0, 2_000))}`, { cause: error });
  }
}

const MOST_MS = 3_000;

/** By the time of the processor: others may keep the machine busy. */
function soon<T>(what: string, run: () => T): T {
  const before = process.cpuUsage();
  const result = run();
  expect([what, process.cpuUsage(before).user / 1_000 < MOST_MS]).toEqual([what, true]);
  return result;
}

describe('every reader', () => {
  it.each(samples)('reads its sample whole: $format', ({ format, file }) => {
    const files = format === 'sefl' ? [file] : [...boxes, file];
    const reading = assemble('net', files).readings.find((each) => each.file === file.path)!;
    expect([
      reading.format,
      reading.lines['not understood'],
      reading.remarks.filter(({ fate }) => fate === 'not understood'),
    ]).toEqual([format, 0, []]);
  });

  it('has an account or a coded error of a file that ends anywhere', () => {
    for (const { file } of samples) {
      const step = Math.max(1, Math.floor(file.text.length / 15));
      for (let end = 0; end < file.text.length; end += step) read(file.path, file.text.slice(0, end));
    }
  });

  it('has an account or a coded error of lines that are missing, twice, elsewhere, or changed', () => {
    const noise = fc.constantFrom(
      '\0',
      '\u{fffd}\u{fffd}',
      '\u{d800}',
      '\r',
      '9'.repeat(400),
      '-1',
      '4294967296',
      '999.999.999.999/99',
      '1e308',
      '0x',
      '{',
      '}',
      '"',
      '[',
      ']',
      '(',
      ')',
      '\\',
      ' ',
      '__proto__',
      'constructor',
      '5000',
    );
    const change = fc.oneof(
      fc.record({ kind: fc.constant('delete' as const), at: fc.nat(99) }),
      fc.record({ kind: fc.constant('twice' as const), at: fc.nat(99) }),
      fc.record({ kind: fc.constant('swap' as const), at: fc.nat(99) }),
      fc.record({ kind: fc.constant('word' as const), at: fc.nat(99), word: fc.nat(9), noise }),
      fc.record({ kind: fc.constant('inside' as const), at: fc.nat(99), word: fc.nat(80), noise }),
    );
    const changed = (text: string, changes: readonly (typeof change extends fc.Arbitrary<infer T> ? T : never)[]) => {
      const lines = text.split('\n');
      for (const each of changes) {
        const at = each.at % lines.length;
        const line = lines[at] ?? '';
        if (each.kind === 'delete') lines.splice(at, 1);
        else if (each.kind === 'twice') lines.splice(at, 0, line);
        else if (each.kind === 'swap') lines.push(...lines.splice(at, 1));
        else if (each.kind === 'word') {
          const words = line.split(' ');
          words[each.word % words.length] = each.noise;
          lines[at] = words.join(' ');
        } else lines[at] = line.slice(0, each.word) + each.noise + line.slice(each.word + 1);
        if (lines.length === 0) lines.push('');
      }
      return lines.join('\n');
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        ({ file }, changes) => {
          const text = changed(file.text, changes);
          soon(file.path, () => read(file.path, text));
        },
      ),
      { numRuns: 200 },
    );
  });

  /** A line that is out of range, or contradicts another, after the sample. */
  it.each([
    ['r.rt', '10.0.0.256/8 192.0.2.1 Vlan2'],
    ['r.routes', '10.0.0.0/33 dev eth0'],
    ['r.route', '10.0.0.0 0.0.0.0 255.0.255.0 U 0 0 0 eth1'],
    ['r.fib', '10.0.0.0/64 1'],
    ['r.cisco', 'O     10.0.0.0/40 [110/2] via 192.0.2.7, 00:10:12, GigabitEthernet0/0'],
    ['r.rt6', '2001:db8::/129 dev eth1'],
    ['r.v6', 'B   2001:DB8:5::/200 [20/0]'],
    ['fw.ipset', 'add nets 10.0.0.0/77'],
    ['fw.addr', '    inet 192.0.2.2/99 scope global eth0'],
    ['r.macs', '0000.0000.000g'],
    ['sw.sw', '5000 0019.e72a.77ea DYNAMIC Gi0/1'],
    ['br.flows', ' table=0, priority=10,ip,nw_src=10.0.0.256 actions=NORMAL'],
    ['edge_config.txt', 'access-list 10 permit 10.0.0.256'],
    ['edge_config.txt', 'access-list 101 permit tcp any any eq 70000'],
    ['edge_config.txt', 'interface Gi9/1\n switchport access vlan 4095'],
    ['edge_config.txt', 'interface Gi9/1\n switchport access vlan 7\n switchport access vlan 8'],
    ['edge_config.txt', 'ip route 10.0.0.0 255.0.255.0 192.0.2.9'],
    ['br.vlans', 'eth3              4095'],
    ['br.vlans', 'eth1              10 Egress Untagged'],
    ['sw_vlan.txt', '11   guests                           active    Fa0/3'],
    ['s.start', 'a'],
  ])('names the line that it cannot use: %s, %s', (path, bad) => {
    const { file } = samples.find((each) => each.file.path === path)!;
    const line = file.text.split('\n').length + bad.split('\n').length - 1;
    try {
      const { readings } = assemble('net', [...boxes, { path, text: `${file.text}${bad}\n` }]);
      const { remarks } = readings.find((each) => each.file === path)!;
      expect(remarks).toContainEqual({ line, fate: 'not understood', why: expect.any(String) });
    } catch (error) {
      if (!isSuperfluidityError(error)) throw error;
      expect(error.message).toContain(`${path}:${line}: `);
    }
  });

  /** What leads back to itself. */
  it.each([
    [
      'fw.rules',
      '*filter\n:FORWARD DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n-A FORWARD -j A\n-A A -j B\n-A B -j A\nCOMMIT\n',
    ],
    [
      'fw.nft',
      'table ip t {\n\tchain f {\n\t\ttype filter hook forward priority 0;\n\t\tjump a\n\t}\n\tchain a {\n\t\tjump a\n\t}\n}\n',
    ],
    [
      'x.click',
      'elementclass A { input -> B -> output; };\nelementclass B { input -> A -> output; };\nFromDevice(e) -> A -> Discard;\n',
    ],
    ['r.txt', 'object-group network A\n group-object A\naccess-list 101 permit ip object-group A any\n'],
  ])('refuses what leads back to itself: %s', (path, text) => {
    expect(soon(path, () => read(path, text))).toMatch(/^SF-VERIFY-/);
  });

  it('is not held up by lines that were made for regular expressions', () => {
    const units = [
      'a',
      '1',
      ',',
      '-',
      '.',
      ':',
      '/',
      '(',
      '[',
      '{',
      '"',
      '=',
      '!',
      '#',
      'a ',
      '1,',
      '1-',
      'a.',
      '-m a ',
    ];
    const lines = units.map((unit) => `${unit.repeat(Math.floor(3_000 / unit.length))}!`);
    const blanks = [' ', '\r'].map((unit) => `${unit.repeat(60_000)}!`);
    for (const { file } of samples) {
      const [first, ...others] = file.text.split('\n');
      const begun = blanks.map((blank) => `${first}${blank}`);
      const text = [first, ...lines, ...begun, ...others].join('\n');
      soon(file.path, () => read(file.path, text));
      soon(file.path, () => read(file.path, `${file.text}${'\n'.repeat(60_000)}`));
    }
  }, 60_000);

  it('refuses files with more lines than are read, before it makes anything of them', () => {
    const { file } = samples[0]!;
    const many = `${file.text}${'\n'.repeat(inputLimits.lines)}`;
    expect(soon(file.path, () => read(file.path, many))).toBe('SF-VERIFY-LIMIT');
  });
});
