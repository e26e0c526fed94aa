import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import {
  addAddress,
  addRoute,
  bytes,
  changeLink,
  createBridge,
  createNamespace,
  createTap,
  createVeth,
  createVxlan,
  deleteNamespace,
  encodeAttributes,
  limitBandwidth,
  nested,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  text,
  transact,
} from '@superfluidity/netlink';
import { type Argv, delayPackets, PROBE_PREFIX, run } from '@superfluidity/router';
import { cgroupLayout } from './cgroup.ts';

/** What this machine can do, found out by doing it in a namespace that is thrown away. */

export const CAPABILITIES = [
  'linux',
  'root',
  'netns',
  'veth',
  'bridge',
  'vxlan',
  'tun',
  'vlan8021q',
  'vrf',
  'openvswitch',
  'seg6Encap',
  'seg6End',
  'seg6EndDx4',
  'seg6EndDx6',
  'seg6EndDt6',
  'tbf',
  'netem',
  'nft',
  'nftNat',
  'runc',
  'crun',
  'qemu',
] as const;

export type CapabilityName = (typeof CAPABILITIES)[number];

export type Capability = { readonly present: true } | { readonly present: false; readonly reason: string };

export interface MachineCapabilities extends Readonly<Record<CapabilityName, Capability>> {
  readonly cgroup: 'v1' | 'v2' | 'hybrid' | 'none';
  readonly kernelRelease: string;
}

const PRESENT: Capability = { present: true };

function reasonOf(error: unknown): string {
  if (error instanceof SuperfluidityError) return error.details.answer ?? error.details.reason;
  return error instanceof Error ? error.message : String(error);
}

function attempt(work: () => unknown): Capability {
  try {
    work();
    return PRESENT;
  } catch (error) {
    return { present: false, reason: reasonOf(error) };
  }
}

async function attemptCommand(
  argv: Argv,
  options: { readonly namespace?: string; readonly stdin?: string } = {},
): Promise<Capability> {
  try {
    await run(argv, { ...options, timeoutMs: 5000 });
    return PRESENT;
  } catch (error) {
    return { present: false, reason: reasonOf(error) };
  }
}

/** A device or queueing discipline that we do not make otherwise: its name and options are enough to try. */
function tryKind(
  type: number,
  head: Buffer,
  attributes: Parameters<typeof encodeAttributes>[0],
  words: string,
): NetlinkRequest {
  return { type, flags: NLM_F_CREATE | NLM_F_EXCL, words, body: () => encodeAttributes(attributes, head) };
}

const RTM_NEWLINK = 16;

function link(kind: string, data: Parameters<typeof nested>[1], lower?: number): NetlinkRequest {
  const index = Buffer.alloc(4);
  index.writeUInt32LE(lower ?? 0);
  const over = lower === undefined ? [] : [bytes(5, index)];
  const info = nested(18, [text(1, kind), nested(2, data)]);
  return tryKind(RTM_NEWLINK, Buffer.alloc(16), [text(3, `try-${kind}`), ...over, info], `link add type ${kind}`);
}

const VETH = 5;
const VETH_PEER = 6;

function probeNetwork(namespace: string): Partial<Record<CapabilityName, Capability>> {
  const send = (...requests: readonly NetlinkRequest[]) => attempt(() => transact(namespace, requests));
  const veth = send(
    changeLink(1, { up: true }),
    createVeth({ name: 'v0', index: VETH, up: true }, { name: 'v1', index: VETH_PEER }),
    changeLink(VETH_PEER, { up: true }),
    addAddress(VETH, { address: 'fd00::1/64' }),
  );
  const local = (destination: string, encap: Parameters<typeof addRoute>[0]['encap'] & object) =>
    send(addRoute({ destination, device: VETH, encap }));
  const vrfTable = Buffer.from([10, 0, 0, 0]);
  const ovs = existsSync('/sys/module/openvswitch') || modulesOffer('openvswitch');
  return {
    veth,
    bridge: send(createBridge({ name: 'b0' })),
    vxlan: send(createVxlan({ name: 'x0', id: 1, local: '127.0.0.1', remote: '127.0.0.2' })),
    tun: attempt(() => createTap(namespace, 't0')),
    vlan8021q: send(link('vlan', [bytes(1, Uint8Array.of(5, 0))], VETH)),
    vrf: send(link('vrf', [bytes(1, vrfTable)])),
    openvswitch: ovs ? PRESENT : { present: false, reason: 'the kernel has no openvswitch module' },
    seg6Encap: send(
      addRoute({
        destination: '10.9.0.0/24',
        device: VETH,
        encap: { kind: 'seg6', mode: 'encap', segments: ['fd01::1'] },
      }),
    ),
    seg6End: local('fd02::1/128', { kind: 'seg6local', action: 'End' }),
    seg6EndDx4: local('fd02::2/128', { kind: 'seg6local', action: 'End.DX4', via: '10.0.0.1' }),
    seg6EndDx6: local('fd02::3/128', { kind: 'seg6local', action: 'End.DX6', via: 'fd00::2' }),
    seg6EndDt6: local('fd02::4/128', { kind: 'seg6local', action: 'End.DT6', table: 254 }),
    tbf: send(limitBandwidth(VETH, { rateMbps: 10 })),
    netem: send(delayPackets(VETH_PEER, { delayMs: 1 })),
  };
}

function modulesOffer(name: string): boolean {
  try {
    return readFileSync(`/lib/modules/${release()}/modules.dep`, 'utf8').includes(`/${name}.ko`);
  } catch {
    return false;
  }
}

function absent(reason: string): Record<CapabilityName, Capability> {
  return Object.fromEntries(CAPABILITIES.map((name) => [name, { present: false, reason }])) as Record<
    CapabilityName,
    Capability
  >;
}

/** Everything that can be told in a tenth of a second; whether KVM runs a guest is asked with `kvmAbsence`. */
export async function probe(): Promise<MachineCapabilities> {
  if (process.platform !== 'linux') {
    return { ...absent(`this is ${process.platform}, not Linux`), cgroup: 'none', kernelRelease: release() };
  }
  const machine = { cgroup: cgroupLayout().version, kernelRelease: release() };
  const programs = Promise.all([
    attemptCommand(['runc', '--version']),
    attemptCommand(['crun', '--version']),
    existsSync('/usr/bin/qemu-system-x86_64') ? PRESENT : attemptCommand(['qemu-system-x86_64', '--version']),
  ]);
  if (process.getuid?.() !== 0) {
    const [runc, crun, qemu] = await programs;
    return { ...absent('needs root'), linux: PRESENT, runc, crun, qemu, ...machine };
  }
  const namespace = `${PROBE_PREFIX}${process.pid}-${Math.floor(performance.now() * 1000) % 1e9}`;
  const netns = attempt(() => createNamespace(namespace));
  if (!netns.present) {
    const [runc, crun, qemu] = await programs;
    return {
      ...absent(`no network namespace: ${netns.reason}`),
      linux: PRESENT,
      root: PRESENT,
      netns,
      runc,
      crun,
      qemu,
      ...machine,
    };
  }
  try {
    const network = probeNetwork(namespace);
    const nat = 'table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }';
    const [nft, nftNat, [runc, crun, qemu]] = await Promise.all([
      attemptCommand(['nft', '-f', '-'], {
        namespace,
        stdin: 'table inet t { chain c { type filter hook forward priority 0; ct state established accept; }; }',
      }),
      attemptCommand(['nft', '-f', '-'], { namespace, stdin: nat }),
      programs,
    ]);
    return {
      ...absent('not tried'),
      ...network,
      linux: PRESENT,
      root: PRESENT,
      netns,
      nft,
      nftNat,
      runc,
      crun,
      qemu,
      ...machine,
    };
  } finally {
    deleteNamespace(namespace);
  }
}
