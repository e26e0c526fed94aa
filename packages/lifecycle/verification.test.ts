import { simulated } from '@superfluidity/driver-simulated';
import type { DataPlaneDump, DriverKind, SiteDriver, UnitStatus } from '@superfluidity/site';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';

/** Clients reach a web server through a firewall; administrators do not. */
const text = `superfluidity: 1
service:
  name: shop
  version: '1'
  networks:
    - { name: clients, prefix: 10.61.0.0/16 }
    - { name: office, prefix: 10.62.0.0/16 }
    - { name: servers, prefix: 10.63.0.0/16 }
  functions:
    - { name: client, environment: container, image: 'host:', ports: [clients] }
    - { name: admin, environment: container, image: 'host:', ports: [office] }
    - name: firewall
      environment: nft
      forwards: true
      ports: [servers]
      program: |
        table ip filter {
          chain forward {
            type filter hook forward priority 0; policy drop;
            ct state established accept
            tcp dport 80 accept
          }
        }
    - name: web
      environment: container
      image: 'host:'
      ports: [servers]
      scale: { initial: 1, min: 1, max: 9 }
  chains:
    - { name: watch, from: client, through: [firewall], to: web, address: 10.99.0.61, ports: [80, 443] }
  policies:
    - { name: served, reach: { from: client, to: web, packet: tcp dst port 80 } }
    - { name: plain, deny: { from: client, to: web, packet: tcp dst port 443 } }
    - { name: apart, deny: { from: office, to: servers } }
`;
const descriptor = native(text);
const open = native(text.replace('tcp dport 80 accept', 'tcp dport { 80, 443 } accept'));

/** What the site says of itself, if it does. */
let dump: ((units: readonly UnitStatus[]) => DataPlaneDump) | undefined;
/** Verbs of the site that changed something. */
const called: string[] = [];

/** Every verb that is called is noted. */
function noting<T extends object>(target: T): T {
  return new Proxy(target, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name, of);
      if (name === 'fabric') return noting(value as object);
      if (name === 'readDataPlane') {
        const says = dump;
        return says === undefined ? undefined : async () => says(await (of as unknown as SiteDriver).listUnits());
      }
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (/^(?:ensure|remove|activate|drain|prepare)/.test(String(name))) called.push(String(name));
        return Reflect.apply(value as (...all: unknown[]) => unknown, of, given);
      };
    },
  });
}
const kind: DriverKind = { ...simulated, open: async (options) => noting<SiteDriver>(await simulated.open(options)) };

let store: Store;
let test: TestLifecycle;
beforeAll(async () => {
  store = await openStore('pglite:memory');
  // One for all: the engine is loaded once.
  test = await testLifecycle({ store, kinds: [kind] });
  await test.lifecycle.sites.add(simulatedSite('edge'));
}, 60_000);
afterEach(async () => {
  dump = undefined;
  const { services, operations } = test.lifecycle;
  for (const { name } of (await test.lifecycle.lists.services({ limit: 9, sort: 'name' })).items) {
    await operations.settled((await services.terminate(name)).operation);
  }
});
afterAll(async () => {
  await test.close();
  await store.close();
});

describe('a service with policies', () => {
  it('is not deployed against them: nothing is touched, and the error has packet and line', async () => {
    const { services } = test.lifecycle;
    called.length = 0;
    const line = text.split('\n').findIndex((each) => each.includes('tcp dport 80 accept')) + 1;
    await expect(services.deploy({ ...open, file: 'shop.yaml' })).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-POLICY',
      message: expect.stringContaining(`policy 'plain': there are packets that arrive at web`),
      details: {
        data: {
          policies: [
            {
              policy: 'plain',
              rules: expect.arrayContaining([expect.objectContaining({ file: 'shop.yaml', line })]),
              paths: [
                { packet: { sent: expect.objectContaining({ 'TCP.dport': '443', 'IPv4.dst': String(0x0a63003d) }) } },
              ],
            },
          ],
        },
      },
    });
    expect(called).toEqual([]);
    expect((await test.lifecycle.lists.services({ limit: 9, sort: 'name' })).items).toEqual([]);
    expect((await test.lifecycle.lists.descriptors({ limit: 9, sort: 'name' })).items).toEqual([]);
    expect(test.events.filter(({ kind: what }) => what === 'operation')).toEqual([]);
    // The plan shows what a deployment would refuse.
    expect((await services.plan(open)).verification).toMatchObject({ answer: 'violated' });
  });

  it('has the proof in its plan and on its operation', async () => {
    const { services, operations } = test.lifecycle;
    const plan = await services.plan(descriptor);
    expect(plan.verification).toMatchObject({ plane: 'intended', answer: 'holds' });
    expect(plan.verification!.policies.map(({ policy }) => policy)).toEqual(['served', 'plain', 'apart']);
    const { operation } = await services.deploy(descriptor);
    expect(await operations.settled(operation)).toMatchObject({ state: 'COMPLETED' });
    const detail = await operations.records.show(operation);
    expect(detail.plan!.verification).toEqual(plan.verification);
    // A simulated site has no data plane to be read.
    expect(detail.realised).toBeUndefined();
    expect(await services.verify('shop', false)).toMatchObject({ answer: 'holds' });
    expect(await services.verify('shop', true)).toMatchObject({ answer: 'unknown' });

    // Where packets go can be asked of it, whatever its policies say.
    const ways = await services.ways('shop', { from: 'client', to: 'web', packet: 'tcp' }, false);
    expect(ways).toMatchObject({
      plane: 'intended',
      found: 3,
      ways: [
        { from: 'client/client#0', arrivesAt: 'web/web#0', answered: true, packet: { sent: { 'TCP.dport': '80' } } },
        // Not of the chain; of the chain, and not let through.
        { outcome: 'dropped', answered: false, why: 'no route leads there' },
        { outcome: 'dropped', answered: false, why: 'policy of forward' },
      ],
    });
    await expect(services.ways('shop', { from: 'clint' }, false)).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-WAYS',
      message: expect.stringContaining("did you mean 'client'"),
    });
    await expect(services.ways('shop', { from: 'client', packet: 'tcp dst port' }, false)).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-WAYS',
    });

    // What does the same is not proven again: instances beyond the second.
    const reports = [];
    for (const count of [3, 6, 9]) {
      const scaled = (await services.scale('shop', 'web', count)).operation;
      await operations.settled(scaled);
      reports.push((await operations.records.show(scaled)).plan!.verification!);
    }
    expect(reports.map(({ answer }) => answer)).toEqual(['holds', 'holds', 'holds']);
    expect(reports[2]).toEqual(reports[1]);
  });
});

/** Client, firewall and server on one wire each, as text of Linux; what the firewall lets through is given. */
function linuxDump(rule: string, units: readonly UnitStatus[]): DataPlaneDump {
  const file = (name: string, ...lines: readonly string[]) => ({ name, text: `${lines.join('\n')}\n` });
  const host = (name: string, address: string) => [
    file(`${name}.addr`, `2: eth0    inet ${address}/32 scope global eth0`),
    file(`${name}.routes`, 'default dev eth0'),
    file(`${name}.nft`, 'table ip none {', '}'),
  ];
  const addressOf = (path: string) => units.find((unit) => unit.path === path)!.ports[0]!.address;
  return {
    files: [
      ...host('client', addressOf('client/client')),
      ...host('admin', addressOf('admin/admin')),
      file(
        'web.addr',
        `2: eth0    inet ${addressOf('web/web')}/32 scope global eth0`,
        '1: lo    inet 10.99.0.61/32 scope global lo',
      ),
      file('web.routes', 'default dev eth0'),
      file('web.nft', 'table ip none {', '}'),
      file('firewall.addr', `2: eth0    inet ${addressOf('firewall/firewall')}/32 scope global eth0`),
      file('firewall.routes', '10.61.0.0/16 dev eth0', '10.99.0.61 dev eth1'),
      file(
        'firewall.nft',
        'table ip filter {',
        '  chain forward {',
        '    type filter hook forward priority 0; policy drop;',
        '    ct state established accept',
        `    ${rule}`,
        '  }',
        '}',
      ),
      file(
        'wires.links',
        'client:eth0 -> firewall:eth0',
        'firewall:eth0 -> client:eth0',
        'firewall:eth1 -> web:eth0',
        'web:eth0 -> firewall:eth1',
      ),
    ],
    ports: units.map(({ path, ports }) => ({ portId: ports[0]!.id, place: `${path.split('/')[0]}:eth0` })),
  };
}

describe('what sites say they have', () => {
  it('is asked at the end, and a violation leaves it to the user how to go on', async () => {
    const { services, operations } = test.lifecycle;
    let rule = 'tcp dport { 80, 443 } accept';
    dump = (units) => linuxDump(rule, units);
    const { operation } = await services.deploy(descriptor);
    await operations.settled(operation);
    const broken = await operations.records.show(operation);
    expect(broken.steps.at(-1)).toMatchObject({ verb: 'verify-service', state: 'failed' });
    expect(broken).toMatchObject({
      state: 'FAILED_TEMP',
      error: { code: 'SF-LIFECYCLE-POLICY-REALISED' },
      plan: { verification: { answer: 'holds' } },
      realised: { plane: 'realised', answer: 'violated' },
    });
    const violated = broken.realised!.policies.filter(({ answer }) => answer === 'violated');
    expect(violated.map(({ policy }) => policy)).toEqual(['plain']);
    expect(violated[0]!.rules).toContainEqual(expect.objectContaining({ file: 'firewall.nft', line: 5 }));

    rule = 'tcp dport 80 accept';
    await operations.retry(operation);
    expect(await operations.settled(operation)).toMatchObject({ state: 'COMPLETED' });
    // The policies hold, but clients are let in to the firewall itself: that is told, and stops nothing.
    const because =
      'A packet of client/client#0 arrives at firewall/firewall#0 and its answer comes back, and was meant to be one that arrives nowhere.';
    const { realised } = await operations.records.show(operation);
    expect(realised).toMatchObject({ answer: 'holds', likeness: { answer: 'violated' } });
    expect(realised!.likeness!.differences[0]!.because).toBe(because);
    const warnings = test.events.filter(({ subject, severity }) => subject === operation && severity === 'warning');
    expect(warnings.map(({ message }) => message)).toContainEqual(
      `what its sites have is not what was meant: ${because.replace(/^A/, 'a')}`,
    );

    // Somebody changes it by hand.
    rule = 'tcp dport 81 accept';
    const { policies } = await services.verify('shop', true);
    expect(policies.find(({ policy }) => policy === 'served')).toMatchObject({ answer: 'violated' });
  });
});
