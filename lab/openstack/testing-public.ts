import { run } from '../command.ts';
import type { Lab } from './lab.ts';
import { PUBLIC } from './public-network.ts';
import { ovsEnvironment, ovsSocket } from './services/ovs.ts';
import { publicNamespace } from './services/routing.ts';

/** A wire from where the laboratory and its tests are to the world behind its external network. RFC 5737. */
const WIRE = { here: 'lab-outside', there: 'lab-inside', ours: '198.51.100.1', theirs: '198.51.100.2' } as const;

/** Floating IPs can be reached from this process, until what it gives is called. */
export async function openPublic(lab: Lab): Promise<() => Promise<unknown>> {
  const there = publicNamespace(lab);
  const close = () => run(['ip', 'link', 'delete', WIRE.here]);
  // What a test left that was ended.
  await close().catch(() => undefined);
  await run(['ip', 'link', 'add', WIRE.here, 'type', 'veth', 'peer', 'name', WIRE.there, 'netns', there]);
  await run(['ip', 'address', 'add', `${WIRE.ours}/30`, 'dev', WIRE.here]);
  await run(['ip', '-n', there, 'address', 'add', `${WIRE.theirs}/30`, 'dev', WIRE.there]);
  await run(['ip', 'link', 'set', WIRE.here, 'up']);
  await run(['ip', '-n', there, 'link', 'set', WIRE.there, 'up']);
  await run(['ip', 'netns', 'exec', there, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  await run(['ip', 'route', 'add', PUBLIC.cidr, 'via', WIRE.theirs]);
  return close;
}

/** A device of this machine that is in the external network itself, until what it gives is called. */
export async function plugPublic(lab: Lab, device: string): Promise<() => Promise<unknown>> {
  const vsctl = (...args: readonly string[]) =>
    run(['ovs-vsctl', `--db=${ovsSocket(lab)}`, '--timeout=20', ...args], { env: ovsEnvironment(lab) });
  await vsctl('--may-exist', 'add-port', 'br-phys', device, '--', 'set', 'Interface', device, 'type=internal');
  await run(['ip', 'link', 'set', device, 'up']);
  return () => vsctl('--if-exists', 'del-port', device);
}
