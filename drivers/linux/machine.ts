import type { Environment } from '@superfluidity/model';
import type { Fingerprint, MissingCapability } from '@superfluidity/site';
import { kvmAbsence } from './kernel/kvm.ts';
import {
  CAPABILITIES,
  type Capability,
  type CapabilityName,
  type MachineCapabilities,
  probe,
} from './kernel/capabilities.ts';

/** What this machine can do for sites, asked once: the kernel does not change while we run. */
let known: Promise<MachineCapabilities> | undefined;

function machine(): Promise<MachineCapabilities> {
  known ??= probe();
  return known;
}

/** Empty: it works. */
let kvmSoFar = 'not tried yet: it is when the first virtual machine is made';

/** Takes seconds the first time, hence not asked before a machine is wanted. */
export async function acceleratorFor(kernelPath: string): Promise<'kvm' | 'tcg'> {
  const absence = await kvmAbsence(kernelPath);
  kvmSoFar = absence === undefined ? '' : `${absence}; virtual machines are interpreted, which is slow`;
  return absence === undefined ? 'kvm' : 'tcg';
}

interface Need {
  readonly name: CapabilityName;
  readonly neededFor: string;
  readonly package?: string;
  readonly required: boolean;
}

const NEEDS: readonly Need[] = [
  { name: 'linux', neededFor: 'everything', required: true },
  { name: 'root', neededFor: 'namespaces, devices and routes', required: true },
  { name: 'netns', neededFor: 'hosts and units', required: true },
  { name: 'veth', neededFor: 'the wires of units and hosts', required: true },
  { name: 'nft', neededFor: 'chains, isolation and packet functions', package: 'nftables', required: true },
  { name: 'nftNat', neededFor: 'translating functions and balancers of flows', package: 'nftables', required: true },
  { name: 'seg6Encap', neededFor: 'service chains', required: true },
  { name: 'seg6End', neededFor: 'service chains over several sites', required: true },
  { name: 'seg6EndDx4', neededFor: 'service chains', required: true },
  { name: 'vxlan', neededFor: 'links between sites', required: false },
  { name: 'tbf', neededFor: 'bandwidth limits', required: false },
  { name: 'runc', neededFor: 'containers', package: 'runc', required: false },
  { name: 'qemu', neededFor: 'virtual machines', package: 'qemu-system-x86', required: false },
  { name: 'tun', neededFor: 'virtual machines', required: false },
];

export async function missingHere(): Promise<readonly MissingCapability[]> {
  const found = await machine();
  return NEEDS.flatMap(({ name, ...need }) => {
    const capability = found[name];
    return capability.present ? [] : [{ name, ...need, reason: capability.reason }];
  });
}

export async function environmentsHere(): Promise<readonly Environment[]> {
  const found = await machine();
  return [
    ...(found.runc.present ? (['container'] as const) : []),
    ...(found.nft.present ? (['nft'] as const) : []),
    ...(found.qemu.present && found.tun.present ? (['vm'] as const) : []),
    'process',
  ];
}

const UNUSED = 'not used';

/** What each is for, and what its absence means: read by people who wonder what their machine lacks. */
const NOTES: Readonly<Record<CapabilityName, { readonly present: string; readonly absent: string }>> = {
  linux: { present: 'the system that these sites are made with', absent: 'no sites of this kind' },
  root: { present: 'may make namespaces, devices and routes', absent: 'no sites of this kind' },
  netns: { present: 'hosts, routers and units are network namespaces', absent: 'no hosts and no units' },
  veth: { present: 'wires of units and hosts', absent: 'no hosts and no units' },
  bridge: { present: `${UNUSED}: units have a routed wire of their own`, absent: UNUSED },
  vxlan: { present: 'links between sites', absent: 'no links between sites' },
  tun: { present: 'wires of virtual machines', absent: 'no virtual machines' },
  vlan8021q: { present: UNUSED, absent: UNUSED },
  vrf: { present: UNUSED, absent: UNUSED },
  openvswitch: { present: UNUSED, absent: UNUSED },
  seg6Encap: { present: 'service chains: into the tunnel', absent: 'no service chains' },
  seg6End: { present: 'service chains: from site to site', absent: 'no service chains over several sites' },
  seg6EndDx4: { present: 'service chains: out of the tunnel', absent: 'no service chains' },
  seg6EndDx6: { present: `${UNUSED}: units speak IPv4`, absent: UNUSED },
  seg6EndDt6: { present: `${UNUSED}: units speak IPv4`, absent: UNUSED },
  tbf: { present: 'bandwidth limits of ports and links', absent: 'no bandwidth limits and no links' },
  netem: {
    present: 'the kernel makes the packets of links late',
    absent: 'a program makes the packets of links late, which takes some of the processor',
  },
  nft: { present: 'security rules, chains and packet functions', absent: 'no sites of this kind' },
  nftNat: { present: 'translating functions and balancers', absent: 'no translating functions and no balancers' },
  runc: { present: 'containers', absent: 'no containers' },
  crun: { present: `${UNUSED}: runc is`, absent: UNUSED },
  qemu: { present: 'virtual machines', absent: 'no virtual machines' },
};

function noteOf(name: CapabilityName, capability: Capability): string {
  if (capability.present) return NOTES[name].present;
  const { absent } = NOTES[name];
  return absent === UNUSED ? absent : `${absent} (${capability.reason})`;
}

export async function describeMachine(): Promise<Pick<Fingerprint, 'environments' | 'capabilities'>> {
  const { cgroup, kernelRelease, ...found } = await machine();
  const cgroupNote =
    cgroup === 'none' ? 'no limits of processor and memory' : `limits of processor and memory: ${cgroup}`;
  const kvm = found.qemu.present ? kvmSoFar : 'there is no QEMU';
  return {
    environments: await environmentsHere(),
    capabilities: [
      ...CAPABILITIES.map((name) => ({ name, present: found[name].present, note: noteOf(name, found[name]) })),
      { name: 'kvm', present: kvm === '', note: kvm === '' ? 'virtual machines run on the processor itself' : kvm },
      { name: 'cgroups', present: cgroup !== 'none', note: cgroupNote },
      { name: 'kernel', present: true, note: kernelRelease },
    ],
  };
}
