/**
 * `npm run test:openstack`: runs what talks to OpenStack. Where a laboratory is up it runs with that one, as it is. Else
 * it starts laboratories of its own, one flavour after the other, and removes them. On CI, or with --install, it installs
 * what is missing. --flavour NAME runs one of them; further arguments go to vitest.
 */
import { parseArgs } from 'node:util';
import { labPaths } from '../lab/openstack/lab.ts';
import { statusOf } from '../lab/openstack/status.ts';
import { root, runNode } from './run.ts';

interface Flavour {
  readonly name: string;
  readonly up: readonly string[];
  /** Which files: those that say something about this flavour. None: all. */
  readonly files: readonly string[];
  /** What another one runs as well: only when it is asked for. */
  readonly isPart?: true;
}

/** Each names all services that it needs: it may be the only one. */
const FLAVOURS: readonly Flavour[] = [
  { name: 'default', up: [], files: [] },
  {
    // What CI has time for beside everything else: each service, limits of ports, balancers, and units.
    name: 'essential',
    up: [],
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
    // The data of the one before, if there was one, is kept: only what is configured in another way starts anew.
    name: 'machines',
    up: 'nova heat octavia mistral routing ironic --compute libvirt --firewall openvswitch'.split(' '),
    files: ['lab/openstack', 'machines.openstack', 'bare-metal.openstack'],
  },
  {
    // Routers of Neutron, whose packets go between the cloud and a site of Linux.
    name: 'joined',
    up: 'nova heat routing'.split(' '),
    files: ['packages/lifecycle/gateway'],
  },
  {
    name: 'ovn',
    up: 'nova octavia routing --network ovn'.split(' '),
    files: [
      'lab/openstack/routing',
      'lab/openstack/network',
      'ovn.openstack',
      'drivers/openstack/conformance.openstack',
    ],
  },
];
/** Where data of the one before would be in the way. */
const FRESH = new Set(['default', 'essential', 'joined', 'ovn']);
/** Of installing and starting from nothing, and of the tests themselves. */
const START_LIMIT_MS = 1_500_000;
const TESTS_LIMIT_MS = 2_400_000;
const STOP_LIMIT_MS = 180_000;
const OWN_FOLDER = '/var/tmp/superfluidity-lab/test';

const { values, positionals } = parseArgs({
  options: { install: { type: 'boolean', default: false }, flavour: { type: 'string' } },
  allowPositionals: true,
});
const install = values.install || process.env['CI'] === 'true' || process.env['CI'] === '1';

async function lab(args: readonly string[], timeoutMs: number): Promise<boolean> {
  return (await runNode(['lab/main.ts', 'openstack', ...args], { timeoutMs, show: true, cwd: root })).ok;
}

async function test(files: readonly string[]): Promise<boolean> {
  const args = ['tools/test.ts', '--project', 'openstack', '--passWithNoTests', ...files, ...positionals];
  return (await runNode(args, { timeoutMs: TESTS_LIMIT_MS, show: true, cwd: root })).ok;
}

async function runFlavours(): Promise<boolean> {
  process.env['SUPERFLUIDITY_LAB'] = OWN_FOLDER;
  const chosen = FLAVOURS.filter(({ name, isPart }) =>
    values.flavour === undefined ? isPart === undefined : values.flavour === name,
  );
  if (chosen.length === 0) {
    console.log(`Flavours: ${FLAVOURS.map(({ name }) => name).join(', ')}`);
    return false;
  }
  let ok = true;
  try {
    for (const { name, up, files } of chosen) {
      console.log(`\nThe laboratory, flavour ${name}:`);
      if (FRESH.has(name)) await lab(['down', '--wipe'], STOP_LIMIT_MS);
      const started = await lab(['up', ...up, ...(install ? ['--install'] : [])], START_LIMIT_MS);
      ok = started && (await test(files)) && ok;
    }
  } finally {
    await lab(['down', '--wipe'], STOP_LIMIT_MS);
  }
  return ok;
}

const passed = statusOf(labPaths()).up ? await test([]) : await runFlavours();
process.exitCode = passed ? 0 : 1;
