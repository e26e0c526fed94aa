import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../testing/run-command.ts';

/** Two routers whose default routes point at each other. */
const files = {
  'edge.rt': '10.0.0.0/8 192.0.2.1 eth1\n10.1.0.0/16 attached eth2\n0.0.0.0/0 192.0.2.9 eth0\n',
  'core.routes': 'default via 192.0.2.2 dev eth0\n10.0.0.0/8 dev eth1\n',
  'links.links': 'edge:eth0 -> core:x\ncore:eth0 -> edge:y\n',
};
let net = '';

beforeAll(async () => {
  net = await mkdtemp(join(tmpdir(), 'superfluidity-verify-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(net, name), text);
});
afterAll(() => rm(net, { recursive: true, force: true }));

const verify = (...args: string[]) => runCommand(['verify', ...args]);

describe('superfluidity verify', () => {
  test('says with its exit code whether it holds', async () => {
    const reach = await verify(
      'reach',
      net,
      '--from',
      'edge:in',
      '--to',
      'core',
      '--packet',
      'tcp && dst 8.8.0.0/16 port 80',
    );
    expect(reach.code).toBe(0);
    expect(reach.out).toMatch(/TCP\.dport 80/);
    expect((await verify('reach', net, '--from', 'edge:in', '--to', 'core', '--packet', 'dst 10.1.2.3')).code).toBe(1);
    expect((await verify('loops', net)).code).toBe(1);
    expect((await verify('loops', net, '--packet', 'dst net 10.0.0.0/8')).code).toBe(0);
    expect((await verify('loops', net, '--time-limit', 'soon')).code).toBe(2);
  }, 60_000);

  test('answers for the policies of a service, with the packet and the line of the descriptor', async () => {
    const unit = (name: string, more: string) =>
      `    - {name: ${name}, environment: container, image: "host:", ports: ${more}}`;
    const descriptor = (allow: string) => `superfluidity: 1
service:
  name: pair
  version: "1"
  networks: [{name: lan, prefix: 10.1.0.0/16}]
  functions:
${unit('a', '[lan]')}
${unit('b', `[{name: eth0, network: lan, allow: [{protocol: tcp, ports: [${allow}]}]}]`)}
  policies:
    - {name: web, reach: {from: a, to: b, packet: tcp dst port 80}}
    - {name: only, deny: {from: a, to: b, packet: not (tcp dst port 80)}}
`;
    const file = join(await mkdtemp(join(tmpdir(), 'superfluidity-verify-')), 'pair.yaml');
    await writeFile(file, descriptor('80'));
    expect(await verify('service', file)).toMatchObject({ code: 0, err: '' });
    await writeFile(file, descriptor('80, 22'));
    const broken = await verify('service', file);
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/holds {2}web[^]*VIOLATED {2}only[^]*TCP\.dport 22[^]*pair\.yaml:8/);
    const log = JSON.parse((await verify('service', file, '--sarif')).out);
    expect(log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('pair.yaml');
  }, 60_000);

  test('answers for every policy of a file', async () => {
    const example = fileURLToPath(new URL('../../../examples/verify/', import.meta.url));
    const held = await verify('policy', join(example, 'net'), join(example, 'net.policies'));
    expect(held.err).toBe('');
    expect(held.code).toBe(0);
    expect(held.out.match(/: holds\./g)).toHaveLength(5);
    const policies = join(net, 'wrong.policies');
    await writeFile(policies, 'policy all: check AF at core\npolicy some: check EF at core\n');
    const some = await verify('policy', net, policies, '--packet', 'dst 8.8.8.8', '--json');
    expect(some.code).toBe(1);
    expect(JSON.parse(some.out)).toMatchObject({ policies: [{ answer: 'violated' }, { answer: 'holds' }] });
    await writeFile(policies, 'policy all: check AF at cor\n');
    const wrong = await verify('policy', net, policies);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/wrong\.policies:1:25: .*did you mean 'core'/);
    await rm(policies);
  }, 60_000);

  test('shows what two networks do differently', async () => {
    const other = await mkdtemp(join(tmpdir(), 'superfluidity-verify-'));
    const map = join(other, 'map.yaml');
    await writeFile(join(other, 'edge.rt'), files['edge.rt'].replace('10.1.0.0/16', '10.1.0.0/17'));
    await writeFile(join(other, 'core.routes'), files['core.routes']);
    await writeFile(join(other, 'links.links'), files['links.links']);
    expect((await verify('diff', net, net)).code).toBe(0);
    const changed = await verify('diff', net, other, '--from', 'edge:in');
    expect(changed.code).toBe(1);
    expect(changed.out).toMatch(/It leaves .* at edge:eth2, and .* at edge:eth1\./);
    await writeFile(map, 'edge:eth2: edge:eth1\n');
    expect(
      (await verify('diff', net, other, '--from', 'edge:in', '--map', map, '--packet', 'dst net 10.1.128.0/17')).code,
    ).toBe(0);
    await writeFile(map, '- edge\n');
    expect((await verify('diff', net, other, '--map', map)).code).toBe(2);
    await rm(other, { recursive: true });
  }, 60_000);

  test('asks whether all ways of a packet arrive', async () => {
    expect((await verify('multipath', net, '--packet', 'dst 10.1.2.3')).code).toBe(0);
    const other = await mkdtemp(join(tmpdir(), 'superfluidity-verify-'));
    await writeFile(
      join(other, 'a.routes'),
      '192.0.2.0/24 dev eth0\n10.0.0.0/8\n\tnexthop via 192.0.2.3 dev eth0 weight 1\n\tnexthop via 192.0.2.4 dev eth1 weight 1\n',
    );
    await writeFile(join(other, 'b.routes'), '10.1.0.0/16 dev eth0\n');
    await writeFile(join(other, 'l.links'), 'a:eth1 -> b:x\n');
    const found = await verify('multipath', other, '--from', 'a:in');
    expect([found.code, found.out.includes('not on another')]).toEqual([1, true]);
    expect((await verify('multipath', other, '--from', 'a:in', '--packet', 'dst 10.1.2.3 and ip[8] > 9')).code).toBe(0);
    await rm(other, { recursive: true });
  }, 60_000);

  test('names the rules that could as well not be there', async () => {
    const list = await verify('rules', net, '--output', 'json');
    expect([list.code, JSON.parse(list.out)]).toMatchObject([0, { rules: 5, faults: [] }]);
    const other = await mkdtemp(join(tmpdir(), 'superfluidity-verify-'));
    await writeFile(join(other, 'edge.rt'), `${files['edge.rt']}10.1.2.0/24 attached eth2\n`);
    const found = await verify('rules', other);
    expect(found.code).toBe(1);
    expect(found.out).toMatch(/^edge\.rt:4 \(edge routes\) is redundant: .* without it edge\.rt:2 would/m);
    const { runs } = JSON.parse((await verify('rules', other, '--sarif')).out);
    expect(runs[0].results[0]).toMatchObject({
      ruleId: 'rules/redundant',
      locations: [{ physicalLocation: { region: { startLine: 4 } } }],
    });
    await rm(other, { recursive: true });
  }, 60_000);

  test('asks for waypoints and sizes, and says which rules were exercised', async () => {
    expect((await verify('waypoints', net, '--from', 'edge:in', '--to', 'edge:eth2', '--through', 'core')).code).toBe(
      1,
    );
    const other = await mkdtemp(join(tmpdir(), 'superfluidity-verify-'));
    await writeFile(join(other, 'edge.rt'), files['edge.rt']);
    await writeFile(join(other, 'core.routes'), `${files['core.routes']}172.16.0.0/12 dev eth1\n`);
    await writeFile(join(other, 'links.links'), 'edge:eth1 -> core:x mtu 1400\n');
    const mtu = await verify('mtu', other, '--from', 'edge:in');
    expect([mtu.code, mtu.out.includes('longer than the 1400 bytes that leave at edge:eth1 (links.links:1)')]).toEqual([
      1,
      true,
    ]);
    expect((await verify('mtu', other, '--size', '1400')).code).toBe(0);
    const oneWay = await verify(
      'symmetry',
      other,
      '--from',
      'edge:in',
      '--packet',
      'dst 10.9.0.1 && src 10.1.0.1 && ip[8] > 9',
    );
    expect([oneWay.code, oneWay.out.match(/^ {2}packet/gm)]).toEqual([1, ['  packet', '  packet']]);
    expect((await verify('hidden', other, '--from', 'edge:in', '--at', 'core')).code).toBe(1);
    const idle = await verify('coverage', other, '--from', 'edge:in');
    expect([idle.code, idle.out.includes('not exercised: core.routes:3')]).toEqual([1, true]);
    const coverage = await verify('loops', other, '--packet', 'dst 10.1.2.3', '--coverage', '--output', 'json');
    const [core, edge] = JSON.parse(coverage.out).coverage;
    expect(edge).toEqual({ file: 'edge.rt', rules: 3, exercised: [2], idle: [1, 3] });
    expect(core).toMatchObject({ file: 'core.routes', exercised: [2] });
    await rm(other, { recursive: true });
  }, 60_000);

  test('follows updates of routes', async () => {
    const updates = join(net, 'some.updates');
    const other = await mkdtemp(join(tmpdir(), 'superfluidity-verify-'));
    await writeFile(join(other, 'edge.rt'), '10.0.0.0/8 192.0.2.1 eth0\n');
    await writeFile(join(other, 'core.rt'), '10.0.0.0/8 192.0.2.1 eth1\n');
    await writeFile(join(other, 'links.links'), 'edge:eth0 <-> core:eth0\n');
    await writeFile(updates, '+ core 10.1.0.0/16 eth0\n- core 10.1.0.0/16\n');
    const found = await verify('updates', other, updates);
    expect([found.code, found.out.includes('go round: core:eth0 -> edge:eth0 -> core:eth0')]).toEqual([1, true]);
    const { runs } = JSON.parse((await verify('updates', other, updates, '--sarif')).out);
    expect(runs[0].results[0]).toMatchObject({ locations: [{ physicalLocation: { region: { startLine: 1 } } }] });
    await writeFile(updates, '+ core 10.1.0.0/16 eth2\n');
    const quiet = await verify('updates', other, updates, '--output', 'json');
    expect([quiet.code, JSON.parse(quiet.out).updates[0].loops]).toEqual([0, []]);
    await rm(updates);
    await rm(other, { recursive: true });
  }, 60_000);

  test('explains one packet with file and line', async () => {
    const { code, out } = await verify('explain', net, '--from', 'edge:in', '--packet', 'dst 10.1.2.3');
    expect(code).toBe(0);
    expect(out).toMatch(/edge:in\n\s+edge\.rt:2\n\s+IPv4\.ttl (\d+) -> \d+\n\s+edge:eth2\n\s+delivered/);
  }, 30_000);

  test('is for machines too', async () => {
    const capture = join(net, 'packets.pcap');
    const loops = await verify('loops', net, '--sarif', '--pcap', capture);
    expect(JSON.parse(loops.out)).toMatchObject({ version: '2.1.0', runs: [{ results: [{ ruleId: 'loops' }] }] });
    expect((await readFile(capture)).subarray(0, 4).toString('hex')).toBe('a1b2c3d4');
    await rm(capture);
    expect((await verify('loops', net, '--mermaid')).out).toContain('flowchart LR');
  }, 60_000);

  test('says what it cannot use', async () => {
    const wrong = await verify('reach', net, '--from', 'edg:in');
    expect([wrong.code, wrong.err.includes("did you mean 'edge:in'")]).toEqual([2, true]);
    expect((await verify('reach', join(net, 'nowhere'), '--from', 'a:in')).code).toBe(2);
    expect((await verify('reach', net, '--from', 'edge:in', '--packet', 'dst 10.0.0.0/99')).code).toBe(2);
    expect((await verify('invariants', net, '--fields', 'IPv4.source')).err).toContain('IPv4.source');
  }, 60_000);
});
