import type { NeutronEnd } from '../models/neutron/model.ts';
import type { OpenflowModel } from '../models/openflow/model.ts';
import { type Box, boxOf, type PortId } from '../network.ts';
import type { ReadLink } from '../readers/links.ts';
import type { SwitchPort, Vswitch } from '../readers/openflow/vswitch.ts';

type Vswitches = ReadonlyMap<string, Vswitch>;

interface ConfiguredBridge {
  readonly node: string;
  readonly bridge: string;
  readonly ports: readonly SwitchPort[];
}

/** The bridge that a box is: `br-int` is that bridge of the only node, `br-int-compute1` that of the node `compute1`. */
export function bridgeOf(box: string, vswitches: Vswitches): ConfiguredBridge | undefined {
  for (const [node, bridges] of vswitches) {
    for (const [bridge, ports] of bridges) {
      if (box === `${bridge}-${node}` || (box === bridge && vswitches.size === 1)) return { node, bridge, ports };
    }
  }
  return undefined;
}

/** Patch ports lead from one bridge of a node to another: to the port that has them as its peer. */
export function patches(boxes: ReadonlyMap<string, Box>, vswitches: Vswitches): readonly ReadLink[] {
  const ends = [...boxes].flatMap(([box, { kind, source }]) => {
    const found = kind === 'openflow' ? bridgeOf(box, vswitches) : undefined;
    return (found?.ports ?? []).flatMap(({ name, type, peer }) =>
      type === 'patch' && peer !== undefined && source !== undefined
        ? [{ key: `${found!.node} ${name}`, peer: `${found!.node} ${peer}`, port: `${box}:${name}`, source }]
        : [],
    );
  });
  const byName = new Map(ends.map((end) => [end.key, end]));
  return ends.flatMap(({ port, peer, source }) => {
    const other = byName.get(peer);
    return other === undefined ? [] : [{ from: port, to: other.port, source }];
  });
}

/** `br-int:1` is the port with that number, by its name. */
export function switchPort(written: PortId, switches: ReadonlyMap<string, OpenflowModel>): PortId {
  const box = boxOf(written);
  const rest = written.slice(box.length + 1);
  const port = switches.get(box)?.ports.find(({ number, name }) => name === rest || String(number) === rest);
  return port === undefined ? written : `${box}:${port.name}`;
}

/** Ports of a bridge that are ports of Neutron, by the identifiers that they have there. */
export function endsOf(box: string, { ports }: OpenflowModel): readonly (readonly [string, NeutronEnd])[] {
  return ports.flatMap(({ name, configured }) =>
    configured?.neutronPort === undefined
      ? []
      : [[configured.neutronPort, { sends: `${box}:${name}:in`, receives: `${box}:${name}:out` }] as const],
  );
}
