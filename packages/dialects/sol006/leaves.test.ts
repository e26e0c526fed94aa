import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDescriptor, writeDescriptor } from '../descriptor.ts';
import { hasRealFiles, noRealFiles, realFiles } from '../testing/real-files.ts';
import { yangKinds as kindsOf, yangTree, type YangNode } from '../testing/yang.ts';
import { xmlDescriptor } from './xml.ts';
import { yangKinds } from './yang-kinds.ts';

const modules = realFiles('etsi-sol006/yang', /etsi-nfv-(?:common|descriptors|ns|pnf|vnf)\.yang$/);
const tree =
  modules.length === 0
    ? []
    : yangTree(
        modules.map(({ bytes }) => new TextDecoder().decode(bytes)),
        'nfv',
      );

type Value = Record<string, unknown>;
const n = 'etsi-nfv-descriptors';

/** What the model understands, said soundly, and one entry for each case of the choices that matter; the modules fill in the rest. */
const base = () => ({
  nsd: [
    {
      id: 'net-service',
      version: '2.0',
      'vnfd-id': ['box', 'plain'],
      'virtual-link-desc': [{ id: 'lan' }],
      sapd: [
        { id: 's1', 'virtual-link-desc': 'lan' },
        { id: 's2', 'associated-cpd': { 'vnfd-id': 'box', 'vnf-ext-cpd': 'e1' } },
        { id: 's3', 'associated-cpd': { 'pnfd-id': 'pnf', 'pnf-ext-cpd': 'p' } },
        { id: 's4', 'associated-cpd': { 'nsd-id': 'other', sapd: 'p' } },
      ],
      vnffgd: [
        {
          id: 'graph',
          'nfp-position-element': [
            { id: '1', desc: { 'vnf-profile': { 'vnf-profile-id': 'f' }, vnf: { 'vnfd-id': 'box', 'cpd-id': 'e1' } } },
            { id: '2', desc: { 'vnf-profile': { 'vnf-profile-id': 'f' }, vnf: { 'vnfd-id': 'box', 'cpd-id': 'e4' } } },
          ],
          nfpd: [
            {
              id: 'path',
              rule: 'destination=10.99.0.1 protocol=udp ports=53',
              'position-desc': [
                { id: '1', 'nfp-position-element-id': ['1'] },
                { id: '2', 'nfp-position-element-id': ['2'] },
              ],
            },
          ],
        },
        {
          id: 'foreign',
          'nfp-position-element': [
            { id: '1', desc: { 'pnf-profile': {}, pnf: {} } },
            { id: '2', desc: { 'ns-profile': {}, ns: {} } },
          ],
          nfpd: [{ id: 'x', rule: 'all that is web' }],
        },
      ],
      df: [
        {
          id: 'ns-df',
          'ns-instantiation-level': [{ id: 'one', 'vnf-to-level-mapping': [{ 'vnf-profile-id': 'f' }] }],
          'vnf-profile': [
            {
              id: 'f',
              'vnfd-id': 'box',
              'flavour-id': 'big',
              'affinity-or-anti-affinity-group-id': ['ns-group'],
              'virtual-link-connectivity': [
                {
                  'virtual-link-profile-id': 'lan-profile',
                  'constituent-cpd-id': [{ 'constituent-base-element-id': 'f', 'constituent-cpd-id': 'e1' }],
                },
              ],
            },
            { id: 'g', 'vnfd-id': 'plain', 'flavour-id': 'only', 'affinity-or-anti-affinity-group-id': ['ns-group'] },
          ],
          'virtual-link-profile': [
            {
              id: 'lan-profile',
              'virtual-link-desc-id': 'lan',
              'virtual-link-protocol-data': {
                'l3-protocol-data': { cidr: '10.1.0.0/24' },
                'l2-protocol-data': { mtu: 1400 },
              },
            },
          ],
          'affinity-or-anti-affinity-group': [
            { id: 'ns-group', affinityorAntiaffinity: 'anti-affinity', scope: 'nfvi-pop' },
          ],
          dependencies: [
            { id: 'd', 'primary-vnf-profile': 'f', 'secondary-vnf-profile': 'g' },
            { id: 'e', 'primary-ns-profile': 'x', 'secondary-ns-profile': 'y' },
          ],
        },
      ],
    },
  ],
  vnfd: [
    {
      id: 'box',
      vdu: [
        {
          id: 'one',
          'int-cpd': [
            {
              id: 'c1',
              'int-virtual-link-desc': 'front',
              'security-group-rule-id': 'web',
              protocol: [{ 'address-data': [{ 'l3-address-data': { 'fixed-ip-address': '10.1.0.5' } }] }],
            },
            { id: 'c2', 'int-virtual-link-desc': 'inner', protocol: [] },
          ],
          'virtual-compute-desc': 'small',
          'virtual-storage-desc': ['disk', 'share', 'bucket'],
          'sw-image-desc': 'debian',
        },
        {
          id: 'two',
          'int-cpd': [
            { id: 'c3', 'int-virtual-link-desc': 'inner', protocol: [] },
            { id: 'c4', 'int-virtual-link-desc': 'front', protocol: [] },
          ],
          'virtual-compute-desc': 'small',
          'sw-image-desc': 'debian',
        },
      ],
      'virtual-compute-desc': [{ id: 'small', 'virtual-memory': { size: '2.0' } }],
      'virtual-storage-desc': [
        { id: 'disk', 'block-storage-data': { 'size-of-storage': '10' } },
        { id: 'share', 'file-storage-data': {} },
        { id: 'bucket', 'object-storage-data': {} },
      ],
      'sw-image-desc': [{ id: 'debian', image: 'images/debian.qcow2' }],
      'security-group-rule': [
        { id: 'web', direction: 'ingress', protocol: 'tcp', 'port-range-min': 80, 'port-range-max': 81 },
      ],
      'int-virtual-link-desc': [{ id: 'inner' }, { id: 'front' }],
      'ext-cpd': [
        { id: 'e1', 'int-cpd': { 'vdu-id': 'one', cpd: 'c1' } },
        { id: 'e2', 'int-virtual-link-desc': 'unused' },
        { id: 'e3', 'vip-cpd': 'vip' },
        { id: 'e4', 'int-cpd': { 'vdu-id': 'two', cpd: 'c4' } },
      ],
      df: [
        {
          id: 'big',
          'vdu-profile': [
            {
              id: 'one',
              'min-number-of-instances': 1,
              'max-number-of-instances': 1,
              'affinity-or-anti-affinity-group-id': ['group'],
            },
            {
              id: 'two',
              'min-number-of-instances': 1,
              'max-number-of-instances': 4,
              'affinity-or-anti-affinity-group-id': ['group'],
            },
          ],
          'virtual-link-profile': [
            {
              id: 'inner',
              flavour: 'x',
              'virtual-link-protocol-data': {
                'l3-protocol-data': { cidr: '10.2.0.0/24' },
                'l2-protocol-data': { mtu: 1500 },
              },
            },
          ],
          'instantiation-level': [
            {
              id: 'level',
              'vdu-level': [
                { 'vdu-id': 'one', 'number-of-instances': 1 },
                { 'vdu-id': 'two', 'number-of-instances': 2 },
              ],
              'scaling-info': [{ 'scaling-aspect-id': 'aspect', 'scale-level': 1 }],
            },
          ],
          'default-instantiation-level': 'level',
          'affinity-or-anti-affinity-group': [{ id: 'group', affinityorAntiaffinity: 'affinity', scope: 'nfvi-node' }],
          'scaling-aspect': [
            {
              id: 'aspect',
              'max-scale-level': 3,
              'aspect-delta-details': {
                deltas: [{ id: 'step', 'vdu-delta': [{ id: 'two', 'number-of-instances': 1 }] }],
                'step-deltas': 'step',
              },
            },
          ],
          dependencies: [{ id: 'd', 'primary-id': 'one', 'secondary-id': 'two' }],
        },
      ],
    },
    {
      id: 'plain',
      version: '1.0',
      'vnfm-info': ['x'],
      vdu: [{ id: 'only', name: 'only', 'sw-image-desc': 'i' }],
      'sw-image-desc': [{ id: 'i', image: 'i.qcow2' }],
      df: [{ id: 'only' }],
    },
  ],
  pnfd: [{ id: 'pnf' }],
});

function sample({ name, type = 'string', values }: YangNode): unknown {
  if (type === 'boolean') return true;
  if (/^u?int(?:8|16|32)$/.test(type)) return 1;
  if (/^u?int64$|^decimal64$/.test(type)) return type === 'decimal64' ? '1.5' : '7';
  if (values.length > 0) return values[0];
  if (type === 'identityref') return `${n}:${name === 'layer-protocol' ? 'ipv4' : 'some'}`;
  return `some ${name}`;
}

/** Adds all that the modules know and is not there, of choices what one case has. */
function fill(nodes: readonly YangNode[], group: Value, pass: number, path: string, seen: Set<string>): void {
  const chosen = new Map<unknown, unknown>();
  for (const { choice, name } of nodes) if (choice !== undefined && name in group) chosen.set(choice.of, choice.case);
  for (const node of nodes) {
    const { name, kind, choice, children, keys } = node;
    if (choice !== undefined) {
      const cases = [...new Set(nodes.filter((one) => one.choice?.of === choice.of).map((one) => one.choice!.case))];
      if (!chosen.has(choice.of)) chosen.set(choice.of, cases[pass % cases.length]);
      if (chosen.get(choice.of) !== choice.case) continue;
    }
    const at = `${path}/${name}`;
    if (kind === 'leaf') group[name] ??= sample(node);
    else if (kind === 'leaf-list') group[name] ??= [sample(node)];
    else if (kind === 'container') fill(children, (group[name] ??= {}) as Value, pass, at, seen);
    else {
      const item = Object.fromEntries(
        children.filter((child) => keys.includes(child.name)).map((child) => [child.name, sample(child)]),
      );
      const list = (group[name] ??= [item]) as Value[];
      // One VNFD says all, the other what it must.
      for (const one of name === 'vnfd' ? list.slice(0, 1) : list) fill(children, one, pass, at, seen);
    }
    if (kind.startsWith('leaf')) seen.add(at);
  }
}

/** Paths of leaves that are not in the other value, or not with the same value. Entries of lists are found by their keys. */
function missing(nodes: readonly YangNode[], a: Value, b: Value | undefined, path: string): readonly string[] {
  return nodes.flatMap(({ name, kind, keys, children }): readonly string[] => {
    if (!(name in a)) return [];
    const [inner, other, at] = [a[name], b?.[name], `${path}/${name}`];
    if (kind === 'container') return missing(children, inner as Value, other as Value | undefined, at);
    if (kind !== 'list')
      return JSON.stringify(inner) === JSON.stringify(other)
        ? []
        : [`${at}: ${JSON.stringify(inner)} is ${JSON.stringify(other)}`];
    const others = (Array.isArray(other) ? other : []) as Value[];
    return (inner as Value[]).flatMap((item, i) =>
      missing(
        children,
        item,
        keys.length === 0 ? others[i] : others.find((one) => keys.every((key) => one[key] === item[key])),
        `${at}[${keys.map((key) => String(item[key])).join(' ')}]`,
      ),
    );
  });
}

const leaves = (nodes: readonly YangNode[], path: string): readonly string[] =>
  nodes.flatMap(({ name, kind, children }) =>
    kind.startsWith('leaf') ? [`${path}/${name}`] : leaves(children, `${path}/${name}`),
  );

const json = (nfv: unknown) => [
  { path: 'all.json', bytes: new TextEncoder().encode(JSON.stringify({ [`${n}:nfv`]: nfv })) },
];

function toXml(nodes: readonly YangNode[], group: Value): string {
  const text = (value: unknown) =>
    String(value)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replace(/^etsi-nfv-descriptors:/, 'n:');
  return nodes
    .flatMap(({ name, kind, children }) =>
      !(name in group)
        ? []
        : [group[name]]
            .flat()
            .map(
              (value) =>
                `<${name}>${kind.startsWith('leaf') ? text(value) : toXml(children, value as Value)}</${name}>`,
            ),
    )
    .join('\n');
}

test.skipIf(!hasRealFiles)(`every leaf of the published modules is kept by reading and writing${noRealFiles}`, () => {
  const seen = new Set<string>();
  for (const pass of [0, 1, 2]) {
    const nfv = base() as unknown as Value;
    fill(tree, nfv, pass, '', seen);
    const { service, problems } = readDescriptor(json(nfv));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { files, losses } = writeDescriptor(service!, 'sol006');
    expect(losses).toEqual([]);
    const written = files.map(({ bytes }) => parse(new TextDecoder().decode(bytes))[`${n}:nfv`] as Value);
    expect(files.map(({ path }) => path)).toEqual(['nsd.yaml', 'vnfd/f.yaml', 'vnfd/g.yaml', 'pnfd.yaml']);
    const all = (kind: string) => written.flatMap((one) => (one[kind] as Value[] | undefined) ?? []);
    const back = { nsd: all('nsd'), vnfd: all('vnfd'), pnfd: all('pnfd') };
    expect(missing(tree, nfv, back, '')).toEqual([]);
    const xml = `<nfv xmlns="urn:etsi:nfv:yang:${n}" xmlns:n="urn:etsi:nfv:yang:${n}">${toXml(tree, nfv)}</nfv>`;
    const fromXml = xmlDescriptor({ path: 'all.xml', bytes: new TextEncoder().encode(xml) });
    expect(fromXml.problems).toEqual([]);
    expect(missing(tree, nfv, (fromXml.value as { nfv: Value }).nfv, '')).toEqual([]);
  }
  expect(leaves(tree, '').filter((path) => !seen.has(path))).toEqual([]);
  expect(seen.size).toBeGreaterThan(500);
});

test.skipIf(!hasRealFiles)(`what the XML encoding must know of the modules is what they say${noRealFiles}`, () => {
  expect(yangKinds).toEqual(kindsOf(tree));
});
