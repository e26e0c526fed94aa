import { deepFreeze, formatIpv4, parseIpv4, parseIpv4Prefix, prefixHas, type Service } from '@superfluidity/model';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import { readDescriptor, writeDescriptor } from '../descriptor.ts';
import { services } from '../testing/services.ts';
import { planTree } from './plan.ts';

const golden = new URL('./golden-written/', import.meta.url);
const read = (text: string) => readDescriptor([{ path: 'service.yaml', bytes: Buffer.from(text) }]).service!;
const textsOf = (service: Service) =>
  new Map(writeDescriptor(service, 'ansible').files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]));

const small = `superfluidity: 1
service:
  name: web
  version: "1.0"
  description: A server behind a firewall
  networks:
    - {name: lan, prefix: 10.1.0.0/24}
    - {name: dmz, prefix: 10.2.0.0/24, mtu: 1400}
  functions:
    - name: client
      environment: process
      command: [sleep, infinity]
      ports: [lan]
      requirements: {after: [server]}
    - name: wall
      environment: nft
      forwards: true
      program: "table ip wall { }"
      ports: [lan, {name: inner, network: dmz, address: 10.2.0.1}]
    - name: server
      description: Answers
      environment: container
      image: name:docker.io/library/nginx:1.29
      env: {SAID: "it's {{ 1 / 0 }}"}
      health: http:80/x?{{y}}
      scale: {initial: 1, min: 1, max: 3}
      ports: [{name: eth0, network: dmz, allow: [{protocol: tcp, ports: [80]}]}]
      requirements: {cpu: 0.5, memoryMiB: 64, location: {sites: [edge]}}
  chains:
    - {name: c, from: client, through: [wall], to: server, address: 10.99.0.1}
`;

test('a service is written as the tree that it always was', () => {
  const texts = textsOf(read(small));
  const paths = readdirSync(golden, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(golden.pathname.length).replace(/^\//, ''));
  expect([...texts.keys()].toSorted()).toEqual(paths.toSorted());
  for (const [path, text] of texts) expect(text, path).toBe(readFileSync(new URL(path, golden), 'utf8'));
});

test('what waits for others comes after them, and is removed before', () => {
  const texts = textsOf(read(small));
  const order = (book: string) => [...texts.get(book)!.matchAll(/^- name: (\w+)\/\w+$/gm)].map(([, name]) => name);
  expect(order('create.yml')).toEqual(['server', 'client', 'wall']);
  expect(order('delete.yml')).toEqual(['wall', 'client', 'server']);
});

test('text of a descriptor is in files that are copied, or behind !unsafe, and nowhere else', () => {
  const odd = fc.constantFrom('{{ marker }}', '{% marker %}', '{# marker #}', 'x\n- marker: 1', '"marker', "'marker");
  fc.assert(
    fc.property(services, odd, (any, marker) => {
      const service = marked(any, marker);
      for (const [path, text] of textsOf(service)) {
        if (path.includes('/files/')) continue;
        // Groups are named by what is left of the name of a site.
        const bare = text.replaceAll(/!unsafe "(?:[^"\\]|\\.)*"/g, '').replaceAll(/\bsite_\w+/g, '');
        expect(bare, path).not.toContain('marker');
        if (!path.endsWith('.yml')) continue;
        const customTags = [{ tag: '!unsafe', resolve: (value: string) => value }];
        for (const document of parseAllDocuments(text, { customTags })) {
          expect(document.errors, path).toEqual([]);
          visit(document, {
            Scalar: (_key, node) => void (node.tag === '!unsafe' && expect(isScalar(node)).toBe(true)),
          });
        }
      }
    }),
    { numRuns: 40 },
  );
});

/** The marker in everything that is free text. */
function marked(service: Service, marker: string): Service {
  const children = service.block.children.map((fn) => ({
    ...fn,
    description: marker,
    children: fn.children.map((unit) => ({
      ...unit,
      description: marker,
      requirements: { ...unit.requirements, location: { sites: [marker] } },
      execution: {
        ...unit.execution!,
        command: [marker],
        program: marker,
        env: { [marker]: marker },
        files: marker,
        image: `folder:${marker}`,
        health: { kind: 'http' as const, port: 80, path: `/${marker.replaceAll('marker', 'm')}`, timeoutMs: 1_000 },
      },
    })),
  }));
  return deepFreeze({ ...service, version: marker, block: { ...service.block, description: marker, children } });
}

test('every instance has addresses of its own, of its network, and none of the hosts', () => {
  const unit = fc.record({
    max: fc.integer({ min: 1, max: 90 }),
    fixed: fc.option(fc.integer({ min: 1, max: 62 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 6 }), (units) => {
      const taken = new Set<number>();
      const functions = units.map(({ max, fixed }, i) => {
        const own = fixed === undefined || taken.has(fixed) ? undefined : fixed;
        if (own !== undefined) taken.add(own);
        const port = { name: 'eth0', network: 'lan', ...(own === undefined ? {} : { address: `10.1.0.${own}` }) };
        return {
          name: `f${i}`,
          environment: 'nft',
          program: 'x',
          ports: [port],
          scale: { initial: 1, min: 1, max: own === undefined ? max : 1 },
        };
      });
      const native = {
        superfluidity: 1,
        service: { name: 's', version: '1', networks: [{ name: 'lan', prefix: '10.1.0.0/26' }], functions },
      };
      const losses: string[] = [];
      const plan = planTree(
        read(JSON.stringify(native)),
        () => true,
        (path) => losses.push(path),
      );
      const [network] = plan.networks;
      const all = plan.units.flatMap(({ ports: [port], scale }) =>
        Array.from({ length: scale.max }, (_, i) => port!.first + i),
      );
      expect(new Set([...all, parseIpv4(network!.gateway)!]).size).toBe(all.length + 1);
      for (const address of all) {
        expect(prefixHas(parseIpv4Prefix('10.1.0.0/26')!, address)).toBe(true);
        expect(['10.1.0.0', '10.1.0.63']).not.toContain(formatIpv4(address));
      }
      const asked = functions.reduce((sum, { scale }) => sum + scale.max, 0);
      expect(losses.length > 0).toBe(all.length < asked);
    }),
    { numRuns: 100 },
  );
});

test('what plain hosts cannot do is said', () => {
  const service = read(
    small
      .replace('environment: nft', 'environment: nft\n      drain: SIGTERM')
      .replace('name:docker.io/library/nginx:1.29', '"name:-v /:/host"')
      .replace('address: 10.99.0.1}', 'address: 10.99.0.1, protocol: udp, ports: [53]}'),
  );
  const { losses } = writeDescriptor(service, 'ansible');
  expect(losses.map(({ path, message }) => `${path}: ${message.replace('ansible cannot say: ', '')}`)).toEqual([
    "chains[0].protocol: protocol of chain 'c'",
    "chains[0].ports: ports of chain 'c'",
    "functions[2].units[0]: unit 'server/server': plain hosts have no image 'name:-v /:/host' for environment 'container'",
    "chains[0]: chain 'c': one of its hops is not on the hosts",
    "functions[1].units[0].drain: drain of nft 'wall/wall'",
  ]);
});
