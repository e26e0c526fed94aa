import { isSuperfluidityError } from '@superfluidity/core';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { convert, formatOf, readDescriptor, writeDescriptor } from './descriptor.ts';
import { nameIn, Names, renamed } from './names.ts';
import { Origins } from './origins.ts';
import { readYamlDocuments } from './yaml-text.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const example = readFileSync(new URL('../../examples/mobile-edge/service.yaml', import.meta.url));

test('losses of a conversion point at the line of the file that was read', () => {
  const source = `${example.toString()}  balancers:\n    - {name: web, unit: video, address: 10.99.0.99, port: 80}\n`;
  const { from, losses, files, problems } = convert([{ path: 'my.yaml', bytes: bytes(source) }], 'sol006');
  expect([from, problems]).toEqual(['native', []]);
  expect(files.map(({ path }) => path)).toContain('nsd.yaml');
  expect(losses).toHaveLength(1);
  expect(losses[0]).toMatchObject({ code: 'SF-DESCRIPTOR-LOSS', severity: 'warning', path: 'balancers' });
  const { position } = losses[0]!;
  expect(position!.file).toBe('my.yaml');
  expect(source.split('\n')[position!.line - 1]).toContain('name: web');
});

test('nothing is written of what cannot be read', () => {
  const { files, problems } = convert([{ path: 'x.yaml', bytes: bytes('superfluidity: 1') }], 'sol006');
  expect(files).toEqual([]);
  expect(problems[0]!.code).toBe('SF-DESCRIPTOR-MISSING');
});

test('a dialect that does not exist is named, with those that do', () => {
  expect(formatOf('sol006')).toBe('sol006');
  const failure = (() => {
    try {
      return formatOf('sol007');
    } catch (error) {
      return error;
    }
  })();
  expect(isSuperfluidityError(failure, 'SF-DESCRIPTOR-NO-WRITER')).toBe(true);
  expect(String(failure)).toContain('sol006');
});

test('every document of a text has its own positions', () => {
  const documents = readYamlDocuments(bytes('# nothing\n---\na: 1\n---\n---\nb:\n  c: 2\n'), 'x.yaml');
  expect(documents.map(({ value }) => JSON.stringify(value))).toEqual(['{"a":1}', '{"b":{"c":2}}']);
  expect(documents[1]!.locate(['b', 'c'])).toEqual({ file: 'x.yaml', line: 7, column: 6 });
  const [broken] = readYamlDocuments(bytes('a: 1\n---\nb: [\n'), 'x.yaml');
  expect(broken!.problems[0]!.code).toBe('SF-DESCRIPTOR-SYNTAX');
  expect(readYamlDocuments(bytes('---\na\n'.repeat(1_001)))[0]!.problems[0]!.code).toBe('SF-DESCRIPTOR-DOCUMENTS');
});

test('labels are unique, and the name as it was written is carried', () => {
  const names = new Names();
  expect([names.label('Mgmt_Net'), names.label('mgmt-net'), names.label('Mgmt_Net'), names.label('--')]).toEqual([
    'mgmt-net',
    'mgmt-net-2',
    'mgmt-net',
    'unnamed',
  ]);
  expect(nameIn('osm', { name: 'mgmt-net', carried: { osm: renamed('Mgmt_Net', 'mgmt-net') } })).toBe('Mgmt_Net');
  expect(renamed('lan', 'lan')).toEqual({});
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 80 })), (written) => {
      const given = new Names();
      const labels = written.map((name) => given.label(name));
      expect(labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))).toBe(true);
      expect(new Set(labels).size).toBe(new Set(written).size);
    }),
  );
});

test('what was not noted stands where the nearest thing around it does', () => {
  const origins = new Origins();
  origins.note('', { line: 1, column: 1 });
  origins.note('functions[1]', { line: 5, column: 3 });
  expect(origins.locate('functions[1].units[0].ports[0].address')).toEqual({ line: 5, column: 3 });
  expect(origins.locate('functions[10].units[0]')).toEqual({ line: 1, column: 1 });
  expect(new Origins().locate('x.y')).toBeUndefined();
});

test('a service that was read is written in its own dialect without loss', () => {
  const { service, format } = readDescriptor([{ path: 'service.yaml', bytes: example }]);
  expect(writeDescriptor(service!, format!).losses).toEqual([]);
});

test('a balancer that asks for everything is written as it was read, and Heat loses what it has no words for', () => {
  const source = `${example.toString()}  balancers:
    - name: web
      unit: video
      address: 10.99.0.99
      port: 443
      targetPort: 8080
      layer: http
      weight: 9
      also: [{ unit: offload, weight: 1, targetPort: 81, backup: true }]
      pools: [{ name: api, unit: video }]
      algorithm: header:X-User
      persistence: { kind: app-cookie, cookie: SESSION }
      routes:
        - name: api
          rules: [{ kind: path, compare: starts, value: /api, invert: true }]
          action: { kind: pool, pool: api }
        - name: old
          rules: [{ kind: header, name: X-Old, compare: regex, value: ^1 }]
          action: { kind: redirect, url: 'https://new.example/', code: 301 }
      tls: { certificates: ['secret:web'], minVersion: '1.3', alpn: [h2], clients: { authority: 'secret:ca', required: true } }
      health: { kind: https, port: 8443, path: /health, codes: 200-204, host: a.example, intervalMs: 10000, rise: 2, fall: 3 }
      connectionLimit: 100
      timeouts: { clientMs: 1000 }
      allow: [10.0.0.0/8]
      proxyProtocol: 1
      forwarded: true
`;
  const read = (text: string) => readDescriptor([{ path: 'my.yaml', bytes: bytes(text) }]);
  const { service, problems } = read(source);
  expect(problems).toEqual([]);
  const written = writeDescriptor(service!, 'native').files[0]!;
  expect(read(new TextDecoder().decode(written.bytes)).service!.balancers).toEqual(service!.balancers);

  const { files, losses } = writeDescriptor(service!, 'heat');
  expect(losses.map(({ path }) => path).filter((path) => path.startsWith('balancers[0]'))).toEqual([
    'balancers[0].routes',
    'balancers[0].tls',
    'balancers[0].timeouts',
    'balancers[0].forwarded',
    'balancers[0].also',
    'balancers[0].pools',
    'balancers[0].address',
    'balancers[0].health.host',
    'balancers[0].health.fall',
    'balancers[0].algorithm',
  ]);
  const [again] = readDescriptor(files).service!.balancers;
  expect(again).toMatchObject({
    layer: 'http',
    weight: 9,
    persistence: { kind: 'app-cookie', cookie: 'SESSION' },
    health: { kind: 'https', port: 8443, path: '/health', codes: '200-204', rise: 2 },
    connectionLimit: 100,
    allow: ['10.0.0.0/8'],
    proxyProtocol: 1,
  });
});
