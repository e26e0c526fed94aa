import { canonicalJson, errorCatalogue } from '@superfluidity/core';
import { deepFreeze } from '@superfluidity/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { services } from '../testing/services.ts';
import { express } from '../express.ts';
import { readNative } from './read.ts';
import { writeNative } from './write.ts';

const sound = `superfluidity: 1
service:
  name: demo
  version: "1.0"
  networks:
    - {name: lan, prefix: 10.1.0.0/16}
  functions:
    - name: radio
      requirements: {location: {tier: edge}}
      units:
        - {name: rrh, environment: container, image: "host:", ports: [lan], forwards: true}
        - {name: bbu, environment: container, image: "host:", ports: [lan], forwards: true}
    - name: video
      environment: container
      image: "host:"
      health: http:8080/health
      drain: SIGTERM
      scale: 1
      ports: [lan]
  chains:
    - {name: stream, from: radio/rrh, through: [radio/bbu], to: video, address: 10.99.0.10, ports: [8080]}
`;

/** `line:column code` and the suggestion of each problem. */
function found(text: string | Uint8Array): readonly (readonly [string, string, string?])[] {
  return readNative(text, { file: 'service.yaml' }).problems.map(({ code, position, suggestion }) => {
    const at = `${position!.line}:${position!.column}`;
    return suggestion === undefined ? ([at, code] as const) : ([at, code, suggestion] as const);
  });
}

describe('reading', () => {
  test('short forms become the long ones of the model', () => {
    const { service, problems } = readNative(sound);
    expect(problems).toEqual([]);
    expect(service!.chains[0]).toMatchObject({ to: 'video/video', protocol: 'tcp' });
    expect(service!.block.children[1]!.children[0]).toEqual({
      kind: 'unit',
      name: 'video',
      ports: [{ name: 'eth0', network: 'lan' }],
      children: [],
      links: [],
      requirements: {},
      execution: {
        environment: 'container',
        image: 'host:',
        health: { kind: 'http', port: 8080, path: '/health', timeoutMs: 5000 },
        drain: { signal: 'SIGTERM', timeoutMs: 10_000 },
      },
      scale: { initial: 1, min: 1, max: 1 },
    });
    expect(Object.isFrozen(service!.block.children[1]!.children[0]!.ports)).toBe(true);
  });

  test.each<[string, string, string, readonly (readonly [string, string, string?])[]]>([
    [
      'an unknown field',
      'requirements:',
      'requirments:',
      [['9:7', 'SF-DESCRIPTOR-UNKNOWN-FIELD', "did you mean 'requirements'?"]],
    ],
    ['a number for text', '"1.0"', '1.0', [['4:12', 'SF-DESCRIPTOR-TYPE', 'write it in quotes']]],
    ['text for a number', 'scale: 1', 'scale: one', [['18:14', 'SF-DESCRIPTOR-TYPE']]],
    [
      'a slip in a value',
      '{name: rrh, environment: container',
      '{name: rrh, environment: contaner',
      [['11:36', 'SF-DESCRIPTOR-VALUE', "did you mean 'container'?"]],
    ],
    ['a missing field', '  version: "1.0"\n', '', [['3:3', 'SF-DESCRIPTOR-MISSING']]],
    ['another format version', 'superfluidity: 1', 'superfluidity: 2', [['1:16', 'SF-DESCRIPTOR-VALUE']]],
    ['a slip in a short form', 'http:8080', 'htp:8080', [['16:15', 'SF-DESCRIPTOR-VALUE']]],
    ['neither units nor environment', '      environment: container\n', '', [['13:7', 'SF-DESCRIPTOR-MISSING']]],
    [
      'a chain through nothing',
      '[radio/bbu]',
      '[radio/bbx]',
      [['21:49', 'SF-MODEL-REFERENCE', "did you mean 'radio/bbu'?"]],
    ],
    ['a chain inside a network', '10.99.0.10', '10.1.0.10', [['21:81', 'SF-MODEL-ADDRESS']]],
    [
      'an unknown network of an only unit',
      'ports: [lan]\n  chains',
      'ports: [lam]\n  chains',
      [['19:15', 'SF-MODEL-REFERENCE', "did you mean 'lan'?"]],
    ],
    ['a name with path separators', 'name: video', 'name: ../video', [['13:13', 'SF-MODEL-NAME']]],
    ['a field given twice', 'scale: 1', 'scale: 1\n      scale: 2', [['19:7', 'SF-DESCRIPTOR-DUPLICATE-KEY']]],
    ['a tab', '      drain', '\tdrain', [['17:1', 'SF-DESCRIPTOR-SYNTAX']]],
  ])('%s', (_name, right, wrong, problems) => {
    expect(sound).toContain(right);
    expect(found(sound.replace(right, wrong)).slice(0, problems.length)).toEqual(problems);
    expect(readNative(sound.replace(right, wrong)).service).toBeUndefined();
  });

  const policies = (...lines: string[]) =>
    `${sound}  policies:\n${lines.map((line) => `    - ${line}\n`).join('')}`.replace(
      /\n+ {2}policies/,
      '\n  policies',
    );
  const at = (text: string, needle: string) => {
    const before = text.slice(0, text.indexOf(needle));
    return `${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}`;
  };
  test.each<[string, string, string, string, string?]>([
    [
      'a place that is not there',
      'reach: {from: vidio, to: radio}',
      'vidio',
      'SF-MODEL-REFERENCE',
      "did you mean 'video'?",
    ],
    [
      'one of several places',
      'deny: {from: [lan, raido], to: radio}',
      'raido',
      'SF-MODEL-REFERENCE',
      "did you mean 'radio'?",
    ],
    [
      'a chain that is not there',
      'through: {chain: strem, waypoints: [radio]}',
      'strem',
      'SF-MODEL-REFERENCE',
      "did you mean 'stream'?",
    ],
    ['a filter that is none', 'deny: {from: lan, to: video, packet: tcp prot 80}', 'prot', 'SF-DESCRIPTOR-VALUE'],
    ['a formula that is none', 'check: {from: lan, formula: "AG nott at video"}', 'nott', 'SF-DESCRIPTOR-VALUE'],
    [
      'a place in a formula',
      'check: {from: lan, formula: AG not at vidoe}',
      'vidoe',
      'SF-DESCRIPTOR-VALUE',
      "did you mean 'video'?",
    ],
    [
      'a formula over lines',
      'check:\n        from: lan\n        formula: |\n          AG not\n            att video',
      'att',
      'SF-DESCRIPTOR-VALUE',
    ],
    ['a filter in a formula', 'check: {from: lan, formula: "AG { dst prot 80 }"}', '{ dst', 'SF-DESCRIPTOR-VALUE'],
    ['two claims', 'reach: {from: lan, to: lan}\n      deny: {to: lan, from: lan}', '{to: lan', 'SF-DESCRIPTOR-VALUE'],
    ['no claim', 'description: nothing', 'name: first', 'SF-DESCRIPTOR-MISSING'],
  ])('%s in a policy', (_name, claim, needle, code, suggestion) => {
    const text = `${policies(`name: first\n      ${claim}`)}\n`;
    const [first] = found(text);
    expect(first).toEqual([at(text, needle), code, ...(suggestion === undefined ? [] : [suggestion])]);
  });

  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...[...'bcdefghi'].map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ];
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'SF-DESCRIPTOR-TYPE'],
    ['50 MB', new Uint8Array(50e6).fill(32), 'SF-DESCRIPTOR-TOO-LARGE'],
    ['a bomb of aliases', bomb.join('\n'), 'SF-DESCRIPTOR-ALIASES'],
    ['an alias inside itself', 'a: &x [*x]', 'SF-DESCRIPTOR-ALIASES'],
    ['an alias of nothing', 'a: *x', 'SF-DESCRIPTOR-ALIASES'],
    ['a million brackets', '['.repeat(1e6), 'SF-DESCRIPTOR-TOO-DEEP'],
    ['half a million dashes', '- '.repeat(5e5), 'SF-DESCRIPTOR-TOO-DEEP'],
    ['a million quotes', '"'.repeat(1e6), 'SF-DESCRIPTOR-TOO-LARGE'],
    ['a million closing brackets', ']'.repeat(1e6), 'SF-DESCRIPTOR-SYNTAX'],
    ['two documents', 'a: 1\n---\nb: 2', 'SF-DESCRIPTOR-DOCUMENTS'],
    ['bytes that are not UTF-8', Uint8Array.of(0x61, 0x3a, 0x20, 0xff), 'SF-DESCRIPTOR-ENCODING'],
    ['bytes of an image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0), 'SF-DESCRIPTOR-ENCODING'],
    ['tags', 'superfluidity: !!binary aGk=', 'SF-DESCRIPTOR-TYPE'],
    ['a key that is a prototype', '__proto__: {a: 1}', 'SF-DESCRIPTOR-TYPE'],
  ])('%s is refused in bounded time', (_name, text, code) => {
    // Of this thread alone: others may have the processor meanwhile.
    const begin = process.threadCpuUsage();
    expect(found(text).map(([, problem]) => problem)).toContain(code);
    const { user, system } = process.threadCpuUsage(begin);
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });

  test('a group of fields that cannot become text, where one of a few words belongs', () => {
    const text = sound.replace('environment: container', 'environment: { toString: no }');
    expect(text).not.toBe(sound);
    expect(found(text).map(([, code]) => code)).toContain('SF-DESCRIPTOR-VALUE');
  });

  test('a text that is not UTF-8 is shown where', () => {
    expect(found(Uint8Array.of(0x61, 0x0a, 0x62, 0xff))).toEqual([['2:2', 'SF-DESCRIPTOR-ENCODING']]);
  });
});

describe('whatever is read, the answer is problems with known codes', () => {
  const check = (text: string | Uint8Array) => {
    for (const { code, position, message } of readNative(text).problems) {
      expect(errorCatalogue().has(code)).toBe(true);
      expect(position!.line).toBeGreaterThan(0);
      expect(message.length).toBeLessThan(600);
    }
  };

  test('bytes', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns: 500 }));

  test('characters of YAML', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]:,-?&*!|>\'"%@`#~\n\t a1<'), maxLength: 80 });
    fc.assert(fc.property(text, check), { numRuns: 1000 });
  });

  test('a sound descriptor with a part replaced', () => {
    const junk = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.json(),
      fc.constantFrom('~', '[]', '{}', '-1', '1e999', '.nan', '*a', '&a', '!!set'),
    );
    const place = fc.tuple(fc.nat(sound.length), fc.nat(30));
    const mutate = fc
      .tuple(place, junk)
      .map(([[at, length], text]) => sound.slice(0, at) + text + sound.slice(at + length));
    fc.assert(fc.property(mutate, check), { numRuns: 200 });
  });
});

test('what was written is read as the same service', () => {
  fc.assert(
    fc.property(services, (service) => {
      const text = writeNative(deepFreeze(service));
      const result = readNative(text);
      const errors = result.problems.filter(({ severity }) => severity === 'error');
      expect(errors).toEqual([]);
      expect(canonicalJson(result.service)).toBe(canonicalJson(service));
    }),
    { numRuns: 25 },
  );
});

describe('scaling by itself', () => {
  const scaling = (policy: string, scale = '{initial: 1, min: 1, max: 4}') =>
    sound.replace('scale: 1', `scale: ${scale}\n      autoscale: ${policy}`);

  test('a policy is kept, with the units that it names, and is lost elsewhere with a word', () => {
    const text = scaling('{kind: hpa, metric: rate, target: 20, measuredBy: [video]}').replace(
      'drain: SIGTERM',
      'telemetry: true',
    );
    const { service, problems } = readNative(text);
    expect(problems).toEqual([]);
    expect(service!.block.children[1]!.children[0]!.autoscale!.measuredBy).toEqual(['video/video']);
    expect(canonicalJson(readNative(writeNative(service!)).service)).toBe(canonicalJson(service));
    const { losses } = express(service!, 'kubernetes', ['unit.scale']);
    expect(losses.map(({ path }) => path)).toContain('functions[1].units[0].autoscale');
  });

  test.each([
    ['{kind: threshold, metric: rate, above: 1, below: 2}', 'SF-DESCRIPTOR-VALUE'],
    ['{kind: hpa, metric: cpu, target: 1}', 'SF-DESCRIPTOR-VALUE'],
    ['{kind: mdp}', 'SF-DESCRIPTOR-MISSING'],
    ['{kind: mdp, file: ../table.json}', 'SF-MODEL-SCALE'],
    ['{kind: hpa, metric: rate, target: 1, max: 9}', 'SF-MODEL-SCALE'],
    ['{kind: hpa, metric: rate, target: 1, measuredBy: [nobody]}', 'SF-MODEL-REFERENCE'],
  ])('%s is refused', (policy, code) => {
    expect(found(scaling(policy)).map(([, problem]) => problem)).toContain(code);
  });

  test('what cannot scale has no policy', () => {
    expect(found(scaling('{kind: hpa, metric: rate, target: 1}', '2'))).toEqual([['19:18', 'SF-MODEL-SCALE']]);
  });
});
