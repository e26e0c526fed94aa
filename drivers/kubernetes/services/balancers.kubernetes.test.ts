import type { BalancerSpec } from '@superfluidity/fabric';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { eventually, LabSite, MEMBERS } from '../testing/lab-site.ts';
import type { EndpointSlice, Service } from './manifest.ts';

/** Balancers as Services, as the API server takes them. Who serves them is another matter: the laboratory has no kube-proxy. */

const { lab, reason } = findLab();

describe.skipIf(lab === undefined)(`balancers${reason === undefined ? '' : ` (${reason})`}`, () => {
  let bench: LabSite;
  const member = (address: string, port = 8_080, draining = false) => ({ address, port, draining });
  const balancer = (changes: Partial<BalancerSpec> = {}): BalancerSpec => ({
    id: 'balancer-1',
    service: 'svc-1',
    name: 'front',
    network: 'net-1',
    // Nobody else in the laboratory asks for one of this part of the range.
    address: '10.96.201.7',
    port: 80,
    layer: 'tcp',
    members: [],
    ...changes,
  });
  const set = (changes: Partial<BalancerSpec> = {}) =>
    bench.site.fabric.ensureBalancer(balancer(changes), bench.call());
  const slices = async () => {
    const names = await bench.names('endpointslices');
    return Promise.all(names.map((name) => bench.get<EndpointSlice>('endpointslice', name)));
  };

  beforeAll(async () => {
    bench = await LabSite.open(lab!, { rules: [MEMBERS] });
  }, 60_000);
  afterAll(() => bench?.close(), 150_000);

  it('has the address that is asked for, and exactly the members that it is told', async () => {
    expect((await bench.site.fingerprint()).balancing).toEqual(['kubernetes service']);
    await set({ members: [member('10.244.1.2'), member('10.244.2.3', 9_090)] });
    const [name] = await bench.names('services');
    expect((await bench.get<Service>('service', name!)).spec).toMatchObject({
      clusterIP: '10.96.201.7',
      ports: [{ protocol: 'TCP', port: 80 }],
    });
    expect(new Set((await slices()).map(({ ports }) => ports[0]!.port))).toEqual(new Set([8_080, 9_090]));
    await set({ members: [member('10.244.1.2', 8_080, true), member('10.244.1.9')] });
    const [slice, ...others] = await slices();
    expect(others).toEqual([]);
    expect(slice!.endpoints).toMatchObject([
      { addresses: ['10.244.1.2'], conditions: { ready: false, serving: false, terminating: true } },
      { addresses: ['10.244.1.9'], conditions: { ready: true, serving: true, terminating: false } },
    ]);
    await set();
    expect(await slices()).toEqual([]);
  });

  it('goes to another address, or is refused it', async () => {
    await set({ address: '10.96.201.8' });
    const [name] = await bench.names('services');
    expect((await bench.get<Service>('service', name!)).spec?.clusterIP).toBe('10.96.201.8');
    await expect(set({ id: 'balancer-2', address: '10.96.201.8' })).rejects.toMatchObject({
      code: 'SF-SITE-ADDRESS-IN-USE',
    });
    await expect(set({ id: 'balancer-3', address: '192.0.2.9' })).rejects.toMatchObject({
      code: 'SF-KUBE-SERVICE',
      message: expect.stringContaining('192.0.2.9'),
    });
    await expect(set({ layer: 'http' })).rejects.toMatchObject({
      code: 'SF-FABRIC-BALANCER',
      message: expect.stringContaining('kubernetes service has no layer http'),
    });
    for (const id of ['balancer-1', 'balancer-1', 'balancer-2'])
      await bench.site.fabric.removeBalancer(id, bench.call());
    expect(await bench.names('services')).toEqual([]);
  });

  it('takes addresses outside of the cluster where the site says so, and waits for a load balancer', async () => {
    const external = await bench.again({ services: { addresses: 'external' } });
    await external.fabric.ensureBalancer(balancer({ address: '192.0.2.7', layer: 'udp' }), bench.call());
    const [name] = await bench.names('services');
    expect((await bench.get<Service>('service', name!)).spec).toMatchObject({ externalIPs: ['192.0.2.7'] });
    await external.fabric.removeBalancer('balancer-1', bench.call());
    await external.close();

    const outside = await bench.again({ services: { addresses: 'load-balancer' } });
    const made = outside.fabric.ensureBalancer(balancer({ address: '192.0.2.8' }), bench.call());
    // The laboratory has no load balancer: the test says what one would.
    const say = (ip: string) =>
      eventually(async () => {
        const [service] = await bench.names('services');
        const patch = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip }] } } });
        await bench.namespace.kubectl(
          'patch',
          'service',
          service!,
          '--subresource=status',
          '--type=merge',
          '-p',
          patch,
        );
      });
    await Promise.all([made, say('192.0.2.8')]);
    const other = outside.fabric.ensureBalancer(balancer({ address: '192.0.2.9' }), bench.call());
    await expect(other).rejects.toMatchObject({
      code: 'SF-KUBE-SERVICE',
      message: expect.stringContaining('gives it 192.0.2.8 and not 192.0.2.9'),
    });
    await outside.fabric.removeBalancer('balancer-1', bench.call());
    await outside.close();
  });

  it('is not offered to who may not say members, and goes with the site', async () => {
    const plain = await LabSite.open(lab!);
    try {
      const { balancing, capabilities } = await plain.site.fingerprint();
      expect(balancing).toEqual([]);
      expect(capabilities).toContainEqual({
        name: 'balancers',
        present: false,
        note: expect.stringContaining('EndpointSlices'),
      });
      await expect(plain.site.fabric.ensureBalancer(balancer(), plain.call())).rejects.toMatchObject({
        code: 'SF-FABRIC-BALANCER',
      });
    } finally {
      await plain.close();
    }
    await set({ members: [member('10.244.1.2')] });
    const removed = await bench.site.purge();
    expect(removed.map((one) => one.split(' sf-')[0])).toEqual(['service', 'endpoint slice']);
    expect(await slices()).toEqual([]);
  });
});
