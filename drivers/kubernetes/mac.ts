import { reportError } from '@superfluidity/core';
import { runInside } from './exec.ts';
import type { Pod } from './objects.ts';
import type { World } from './world.ts';

/** Written by Multus, OVN-Kubernetes and others (Network Plumbing Working Group, CRD specification 1.3, section 5). */
const NETWORK_STATUS = 'k8s.v1.cni.cncf.io/network-status';
const FILE = '/sys/class/net/eth0/address';
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;
/** No interface has it. */
const UNKNOWN = '00:00:00:00:00:00';

/** The Ethernet address of a pod. Kubernetes does not know it: the network may say it, else the pod is looked into. */
export async function learnMac(world: World, pod: Pod, signal: AbortSignal): Promise<string> {
  const said = statusMac(pod.metadata.annotations?.[NETWORK_STATUS]);
  if (said !== undefined) return said;
  try {
    const { output } = await runInside(world, pod.metadata.name, ['cat', FILE], signal);
    const mac = output.trim().toLowerCase();
    if (MAC.test(mac)) return mac;
  } catch (error) {
    if (signal.aborted) throw error;
    world.log.debug({ pod: pod.metadata.name, error: reportError(error) }, 'its Ethernet address cannot be read');
  }
  // The image has no `cat`, or sessions are not allowed.
  return UNKNOWN;
}

function statusMac(text: string | undefined): string | undefined {
  try {
    const networks = JSON.parse(text ?? '[]') as readonly { readonly default?: boolean; readonly mac?: string }[];
    const mac = networks.find((one) => one.default === true)?.mac?.toLowerCase();
    return mac !== undefined && MAC.test(mac) ? mac : undefined;
  } catch {
    return undefined;
  }
}
