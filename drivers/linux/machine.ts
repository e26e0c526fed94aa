import type { Environment } from '@superfluidity/model';
import type { Fingerprint, MissingCapability } from '@superfluidity/site';
import { kvmAbsence } from './kernel/kvm.ts';
import { type CapabilityName, type MachineCapabilities, probe } from './kernel/capabilities.ts';

/** What this machine can do for sites, asked once: the kernel does not change while we run. */
let known: Promise<MachineCapabilities> | undefined;

function machine(): Promise<MachineCapabilities> {
  known ??= probe();
  return known;
}

/** Empty: it works. */
let kvmSoFar = 'tried when the first virtual machine is made';

/** Takes seconds the first time, hence not asked before a machine is wanted. */
export async function acceleratorFor(kernelPath: string): Promise<'kvm' | 'tcg'> {
  const absence = await kvmAbsence(kernelPath);
  kvmSoFar = absence === undefined ? '' : `${absence}; virtual machines are interpreted, which is slow`;
  return absence === undefined ? 'kvm' : 'tcg';
}

/** Who makes the packets of links late: the kernel where it can, else a program in their way. */
export async function linkEmulator(): Promise<'netem' | 'relay'> {
  return (await machine()).netem.present ? 'netem' : 'relay';
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

/** Of those that a site can do without, what that means. */
const NOTES: Partial<Record<CapabilityName, string>> = {
  netem: 'links are emulated by a program in user space',
  bridge: 'not used: units have a routed wire of their own',
  vlan8021q: 'not used',
  vrf: 'not used',
  openvswitch: 'not used',
  crun: 'not used: runc is',
};

export async function describeMachine(): Promise<Pick<Fingerprint, 'environments' | 'capabilities'>> {
  const { cgroup, kernelRelease, ...found } = await machine();
  const kvm = found.qemu.present ? kvmSoFar : 'there is no QEMU';
  return {
    environments: await environmentsHere(),
    capabilities: [
      ...Object.entries(found).map(([name, capability]) => {
        const notes = [...(capability.present ? [] : [capability.reason]), NOTES[name as CapabilityName]];
        const note = notes.filter((text) => text !== undefined && text !== '').join('; ');
        return { name, present: capability.present, ...(note === '' ? {} : { note }) };
      }),
      { name: 'kvm', present: kvm === '', note: kvm === '' ? 'virtual machines run on the processor itself' : kvm },
      { name: 'cgroups', present: cgroup !== 'none', note: cgroup },
      { name: 'kernel', present: true, note: kernelRelease },
    ],
  };
}
