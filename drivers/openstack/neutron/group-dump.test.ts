import { StandIn } from '@superfluidity/openstack/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readGroups } from './group-dump.ts';

const never = new AbortController().signal;
type Item = Readonly<Record<string, unknown>> & { readonly id: string };

const port = (id: string, ...groups: readonly string[]): Item => ({ id, name: id, security_groups: groups });
const group = (id: string, ...rules: readonly object[]): Item => ({ id, name: id, security_group_rules: rules });
/** More than one request may name. */
const PODS = Array.from({ length: 120 }, (_, at) => port(`pod-${at}`, at === 119 ? 'last' : 'common', 'open'));
const LISTS: Readonly<Record<string, readonly Item[]>> = {
  ports: [...PODS, port('machine', 'machines'), port('other', 'others'), port('unasked', 'common', 'elsewhere')],
  security_groups: [
    group('common', { id: 'r1', remote_group_id: 'machines' }, { id: 'r2', remote_group_id: null }),
    group('last', { id: 'r3', remote_address_group_id: 'offices' }),
    group('open'),
    group('machines'),
    group('others'),
    group('elsewhere'),
  ],
  address_groups: [{ id: 'offices' }, { id: 'homes' }],
  firewall_groups: [
    { id: 'mine', ports: ['pod-3'] },
    { id: 'theirs', ports: ['other'] },
  ],
};

let neutron: StandIn;
let extensions: readonly string[];
beforeEach(async () => {
  neutron = await new StandIn().start();
  neutron.answers(({ path }, response) => {
    const { pathname, searchParams: asked } = new URL(path, neutron.url);
    const many = pathname.split('/').at(-1)!.replaceAll('-', '_');
    const isMeant = (item: Item) =>
      ['id', 'security_groups'].every((key) => {
        const wanted = asked.getAll(key);
        return wanted.length === 0 || [item[key]].flat().some((value) => wanted.includes(value as string));
      });
    const found =
      many === 'extensions' ? extensions.map((alias) => ({ alias, name: alias })) : LISTS[many]!.filter(isMeant);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ [many]: found }));
  });
});
afterEach(() => neutron.stop());

test.each([
  ['that finds ports by their groups', ['port-security-groups-filtering', 'fwaas_v2']],
  ['that does not', ['fwaas_v2']],
  ['without firewalls', []],
])('ports, their groups and whom these name are asked of a Neutron %s, and nothing else', async (_, known) => {
  extensions = known;
  const files = await readGroups(
    neutron.cloud(),
    PODS.map(({ id }) => id),
    never,
  );
  const lists = files.map(({ name, text }) => {
    const [[many, items]] = Object.entries(JSON.parse(text) as Record<string, readonly Item[]>) as [
      [string, readonly Item[]],
    ];
    return [name, many, items.map(({ id }) => id).toSorted()];
  });
  const pods = PODS.map(({ id }) => id);
  expect(lists).toEqual([
    ['ports.json', 'ports', [...pods, 'machine'].toSorted()],
    ['security_groups.json', 'security_groups', ['common', 'last', 'open']],
    ['address_groups.json', 'address_groups', ['offices']],
    ...(known.includes('fwaas_v2') ? [['firewall_groups.json', 'firewall_groups', ['mine']]] : []),
  ]);
  // An address that names all would be too long for servers.
  for (const { path } of neutron.asked) expect(path.length).toBeLessThan(4_000);
});

test('of no ports there is nothing to ask', async () => {
  extensions = [];
  const files = await readGroups(neutron.cloud(), [], never);
  expect(files.map(({ text }) => JSON.parse(text) as object)).toEqual([{ ports: [] }, { security_groups: [] }]);
  expect(neutron.asked).toHaveLength(1);
});
