/**
 * `npm run test:openstack`: runs what talks to OpenStack. Where a laboratory is up it runs with that one, as it is. Else
 * it starts laboratories of its own, one flavour after the other, and removes them. On CI, or with --install, it installs
 * what is missing. --flavour NAME runs one of them; further arguments go to vitest.
 */
import { type Flavour, runLabTests } from './lab-tests.ts';

const cloud = (up = '') => [{ kind: 'openstack', up: up.split(' ').filter(Boolean) }] as const;

/** Each names all services that it needs: it may be the only one. */
const FLAVOURS: readonly Flavour[] = [
  { name: 'default', labs: cloud(), files: [] },
  {
    // What CI has time for beside everything else: each service, limits of ports, balancers, and units.
    name: 'essential',
    labs: cloud(),
    files: [
      'lab/openstack/lab',
      'packages/openstack',
      'drivers/openstack/conformance.openstack',
      'drivers/openstack/neutron/qos',
      'drivers/openstack/octavia',
      'packages/lifecycle/cloud',
      'packages/lifecycle/workflows',
    ],
    isPart: true,
  },
  {
    name: 'machines',
    labs: cloud('nova heat octavia mistral routing ironic --compute libvirt --firewall openvswitch'),
    files: ['lab/openstack', 'machines.openstack', 'bare-metal.openstack'],
    keeps: true,
  },
  {
    // Routers of Neutron, whose packets go between the cloud and a site of Linux, or to Services from outside.
    name: 'joined',
    labs: cloud('nova heat octavia routing'),
    files: ['packages/lifecycle/gateway', 'apps/kuryr/controller/drivers/external-address'],
  },
  {
    name: 'ovn',
    labs: cloud('nova octavia routing --network ovn'),
    files: [
      'lab/openstack/routing',
      'lab/openstack/network',
      'ovn.openstack',
      'drivers/openstack/conformance.openstack',
    ],
  },
];

const passed = await runLabTests({
  project: 'openstack',
  flavours: FLAVOURS,
  startLimitMs: 1_500_000,
  testsLimitMs: 2_400_000,
});
process.exitCode = passed ? 0 : 1;
