import { modelLimits } from '@superfluidity/model';
import { macOf } from '../ethernet.ts';
import { given, isGroup } from '../groups.ts';
import { Names } from '../names.ts';
import type { Attachment } from './attachments.ts';
import type { MachineTemplate } from './shape.ts';

/** The networks of a virtual machine of KubeVirt: that of its pod, and those of Multus. */
export function machineAttachments({ spec }: MachineTemplate): readonly Attachment[] {
  const names = new Names();
  const interfaces = spec.domain.devices?.interfaces ?? [];
  const used = interfaces.map(({ name }) => name);
  const networks = (spec.networks ?? []).filter(({ name }) => used.includes(name));
  return networks.map(({ name, multus }, i): Attachment => {
    const port = names.fresh(name);
    const [first = '', second] = (multus?.networkName ?? '').split('/');
    const attached = second === undefined ? { name: first } : { namespace: first, name: second };
    return {
      port,
      interface: port.length <= modelLimits.interfaceName ? port : `eth${i}`,
      ...given({
        network: isGroup(multus) ? attached : undefined,
        mac: macOf(interfaces.find((one) => one.name === name)?.['macAddress']),
      }),
    };
  });
}
