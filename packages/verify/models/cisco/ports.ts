import type { CiscoConfig } from '../../readers/cisco/config.ts';
import { shortPortName } from '../../readers/mac.ts';
import { accessPort, trunkPort, type VlanPort } from '../../readers/vlans/port.ts';

/** Ports of the switch that a configuration makes. A port that agrees with its neighbour on what it is counts as one of access. */
export function portsOfConfig({ interfaces }: CiscoConfig): readonly VlanPort[] {
  return interfaces.flatMap(({ name, isUp, channel, switchport }) => {
    if (!isUp || channel !== undefined || switchport === undefined) return [];
    const { mode, access, native, allowed, source } = switchport;
    const short = shortPortName(name);
    return [mode === 'trunk' ? trunkPort(short, native, allowed, source) : accessPort(short, access, source)];
  });
}
