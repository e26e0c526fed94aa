import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { run } from '../../command.ts';
import { type Ini, renderIni } from '../ini.ts';
import type { LabProcess, Service } from '../item.ts';
import { type Lab, PORTS } from '../lab.ts';
import { PUBLIC } from '../public-network.ts';
import { registerPublicNetwork } from '../register.ts';
import { configFile, folders, messaging, oslo } from './common.ts';
import { AGENT_REPORT_INTERVAL, neutronConfig } from './neutron.ts';
import { ovsEnvironment, ovsSocket } from './ovs.ts';

/** Names of namespaces are one for the whole machine. */
export function publicNamespace(lab: Lab): string {
  return `lab-public-${createHash('sha256').update(lab.paths.folder).digest('hex').slice(0, 6)}`;
}

export function metadataSecret(lab: Lab): string {
  return createHash('sha256').update(`metadata ${lab.password}`).digest('hex').slice(0, 32);
}

/** Routers and floating IPs, DHCP and metadata, in namespaces of the kernel on top of Open vSwitch in user space. */
export function routing(lab: Lab): Service {
  const { paths } = lab;
  const state = join(paths.var, 'neutron');
  const config = (name: string) => configFile(lab, 'neutron', name);
  const dnsmasq = config('dnsmasq.conf');
  const inis: Readonly<Record<string, Ini>> = {
    'l3_agent.ini': { DEFAULT: { ...common(lab), agent_mode: 'legacy' } },
    'dhcp_agent.ini': {
      DEFAULT: {
        ...common(lab),
        dnsmasq_config_file: dnsmasq,
        enable_isolated_metadata: true,
        // Half a second is what it waits for more to do.
        resync_throttle: 1,
      },
    },
    'metadata_agent.ini': {
      DEFAULT: {
        nova_metadata_host: lab.options.address,
        nova_metadata_port: PORTS.metadata,
        metadata_proxy_shared_secret: metadataSecret(lab),
        metadata_workers: 0,
      },
    },
  };
  const agent = (name: string, ini: string): LabProcess => ({
    kind: 'process',
    name,
    after: ['neutron-server', 'ovs-agent', 'neutron-folders'],
    argv: [`neutron-${name}`, '--config-file', neutronConfig(lab), '--config-file', config(ini)],
    env: ovsEnvironment(lab),
    files: [neutronConfig(lab), config(ini)],
    ready: { kind: 'started' },
  });
  return {
    files: {
      // The folders of the laboratory are for root alone.
      [dnsmasq]: 'user=root\ngroup=root\n',
      ...Object.fromEntries(
        Object.entries(inis).map(([name, ini]) => [
          config(name),
          renderIni({
            ...ini,
            agent: { report_interval: AGENT_REPORT_INTERVAL, root_helper: '' },
            ovs: { ovsdb_connection: `tcp:${lab.options.address}:${PORTS.ovsdb}` },
            privsep: { helper_command: 'privsep-helper' },
            oslo_concurrency: oslo(lab)['oslo_concurrency']!,
          }),
        ]),
      ),
    },
    items: [
      folders('neutron', state),
      // OVN routes and leases by itself.
      ...(lab.options.network === 'ovn'
        ? []
        : [
            agent('l3-agent', 'l3_agent.ini'),
            agent('dhcp-agent', 'dhcp_agent.ini'),
            agent('metadata-agent', 'metadata_agent.ini'),
          ]),
      { kind: 'task', name: 'public-network', after: ['neutron-server'], once: true, run: registerPublicNetwork },
      { kind: 'task', name: 'public-device', after: ['vswitchd'], once: false, run: addPublicDevice },
    ],
  };
}

function common(lab: Lab): Ini[string] {
  return { ...messaging(lab, 'neutron'), interface_driver: 'openvswitch' };
}

async function addPublicDevice(lab: Lab): Promise<void> {
  const namespace = publicNamespace(lab);
  const { device, gateway } = PUBLIC;
  const look = () => run(['ip', '-n', namespace, '-oneline', 'link', 'show']);
  const inside = await look().catch(async () => {
    // A name may be left without what it named.
    await run(['ip', 'netns', 'delete', namespace]).catch(() => undefined);
    await run(['ip', 'netns', 'add', namespace]);
    return look();
  });
  if (inside.includes(`${device}:`)) return;
  await run(
    [
      'ovs-vsctl',
      `--db=${ovsSocket(lab)}`,
      '--timeout=20',
      '--if-exists',
      'del-port',
      device,
      '--',
      'add-port',
      'br-phys',
      device,
      '--',
      'set',
      'Interface',
      device,
      'type=internal',
    ],
    { env: ovsEnvironment(lab) },
  );
  await run(['ip', 'link', 'set', device, 'netns', namespace]);
  await run(['ip', '-n', namespace, 'address', 'add', `${gateway}/24`, 'dev', device]);
  for (const one of ['lo', device]) await run(['ip', '-n', namespace, 'link', 'set', one, 'up']);
}
