import { modelLimits } from '@superfluidity/model';
import { macOf } from '../ethernet.ts';
import { at, given, isGroup, listOf, textOf, type Group } from '../groups.ts';
import { Names } from '../names.ts';
import { notes } from './words.ts';

/** A network that a pod is attached to: one of the cluster, or a NetworkAttachmentDefinition. */
export interface Attachment {
  readonly port: string;
  readonly interface: string;
  /** Absent: the network that the cluster gives to all pods. */
  readonly network?: { readonly name: string; readonly namespace?: string };
  readonly address?: string;
  readonly mac?: string;
  readonly bandwidthMbps?: number;
}

/**
 * The networks of a pod by its annotations (multi-network de-facto standard v1.3, clause 4.1): eth0 is on the network of the
 * cluster, or on the one that Multus is told to take instead. A text where they cannot be understood.
 */
export function attachmentsOf(annotations: Group, hostNetwork: boolean): readonly Attachment[] | string {
  const outer = elementsOf(textOf(annotations[notes.defaultNetwork]));
  const more = elementsOf(textOf(annotations[notes.networks]));
  if (outer === undefined || more === undefined) return 'networks are a list of names, or JSON';
  const first = hostNetwork ? [] : [{ interface: 'eth0', ...outer[0] }];
  const all = [...first, ...more.map((one, i) => ({ ...one, interface: one.interface ?? `net${i + 1}` }))];
  const said = portsNote(annotations);
  const ports = new Names();
  if (said === undefined) return all.map((one) => ({ ...one, port: ports.fresh(one.interface) }));
  // Ours are exactly those that are listed: a pod has an eth0 in any case.
  return said.flatMap(([port, name]) => {
    const one = all.find((each) => each.interface === name);
    return one === undefined ? [] : [{ ...one, port }];
  });
}

function portsNote(annotations: Group): readonly (readonly [string, string])[] | undefined {
  const value = json(textOf(annotations[notes.ports]));
  if (!Array.isArray(value)) return undefined;
  return listOf(value).flatMap((pair) => {
    const [port, name] = listOf(pair);
    return typeof port === 'string' && typeof name === 'string' ? [[port, name] as const] : [];
  });
}

type Element = Partial<Omit<Attachment, 'port'>>;

function elementsOf(text: string | undefined): readonly Element[] | undefined {
  if (text === undefined) return [];
  if (/^\s*[[{]/.test(text)) {
    const value = json(text);
    const list = isGroup(value) ? [value] : Array.isArray(value) ? value : undefined;
    const elements = list?.map(elementOf);
    return (elements?.some((one) => one === undefined) ?? true) ? undefined : (elements as readonly Element[]);
  }
  const names = text.split(',').map((one) => /^\s*(?:([a-z0-9-]+)\/)?([a-z0-9.-]+)(?:@([\w.-]{1,15}))?\s*$/.exec(one));
  if (names.includes(null)) return undefined;
  return names.map((found) => ({
    network: { name: found![2]!, ...given({ namespace: found![1] }) },
    ...given({ interface: found![3] }),
  }));
}

function elementOf(value: unknown): Element | undefined {
  const name = textOf(at(value, 'name'));
  if (name === undefined) return undefined;
  const inside = textOf(at(value, 'interface'));
  const fits = inside !== undefined && inside.length <= modelLimits.interfaceName;
  const [address] = listOf(at(value, 'ips')).flatMap(
    (one) => /^(\d+(?:\.\d+){3})(?:\/\d+)?$/.exec(String(one))?.[1] ?? [],
  );
  const rate = at(value, 'bandwidth', 'ingressRate');
  const mac = macOf(at(value, 'mac'));
  return {
    network: { name, ...given({ namespace: textOf(at(value, 'namespace')) }) },
    ...(fits ? { interface: inside } : {}),
    ...given({ address, mac, bandwidthMbps: typeof rate === 'number' && rate > 0 ? rate / 1e6 : undefined }),
  };
}

export function json(text: string | undefined): unknown {
  if (text === undefined || text.length > 65_536) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
