import { append } from '@superfluidity/core';
import { readdirSync, readFileSync } from 'node:fs';
import type { DataPlaneDump, DataPlaneFile } from '@superfluidity/site';
import { inNamespace, listNamespaces, namespaceExists } from '@superfluidity/netlink';
import { hostNamespace, type Links, run, type Scope } from '@superfluidity/router';
import type { Slots } from './slots.ts';
import { portDevice } from './wiring.ts';

/**
 * What the namespaces of a site say of themselves, in the words of `ip`, `nft` and `sysctl`. A box is a namespace, and has its
 * name, which is unique on the machine and begins with the key of the site: files of several sites make one network.
 *
 * Of the link to another site only what it is for is told, a wire from this router's device to that of the other router; each
 * site tells its own direction. The VXLAN, the namespace in the middle and the relay in it are left out.
 */
const COMMANDS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  links: ['ip', '-d', 'address', 'show'],
  routes: ['ip', '-4', '-d', 'route', 'show', 'table', 'all'],
  routes6: ['ip', '-6', '-d', 'route', 'show', 'table', 'all'],
  rule: ['ip', '-4', 'rule', 'show'],
  rule6: ['ip', '-6', 'rule', 'show'],
  neigh: ['ip', 'neigh', 'show', 'nud', 'permanent'],
  // Without counters, and what else changes while nothing is changed.
  nft: ['nft', '-s', 'list', 'ruleset'],
};

/** So many namespaces are read at once. */
const TOGETHER = 4;
const OUTPUT_BYTES_MAX = 64 << 20;

export async function readDataPlane(scope: Scope, slots: Slots, links: Links): Promise<DataPlaneDump> {
  const wan = `${scope.prefix}w-`;
  const namespaces = listNamespaces().filter((name) => name.startsWith(scope.prefix) && !name.startsWith(wan));
  const files: DataPlaneFile[][] = [];
  for (let at = 0; at < namespaces.length; at += TOGETHER) {
    append(files, await Promise.all(namespaces.slice(at, at + TOGETHER).map(filesOf)));
  }
  return { files: [...files.flat(), ...wires(scope, links)], ports: portsOf(scope, slots) };
}

async function filesOf(namespace: string): Promise<DataPlaneFile[]> {
  try {
    const settings = { name: `${namespace}.sysctl`, text: settingsOf(namespace) };
    const shown = await Promise.all(
      Object.entries(COMMANDS).map(async ([extension, argv]) => {
        const { stdout } = await run(argv, { namespace, outputBytesMax: OUTPUT_BYTES_MAX });
        return { name: `${namespace}.${extension}`, text: stdout };
      }),
    );
    return [...shown.filter(({ text }) => text.trim() !== ''), settings];
  } catch (error) {
    // A unit may go while it is looked at: then it is no part of the data plane any more.
    if (!namespaceExists(namespace)) return [];
    throw error;
  }
}

/** What decides, beside tables, what becomes of a packet; interfaces only where they are not as usual. */
function settingsOf(namespace: string): string {
  return inNamespace(namespace, () => {
    const read = (key: string): string | undefined => {
      try {
        return readFileSync(`/proc/sys/net/${key}`, 'utf8').trim();
      } catch {
        // Kernels may lack one (no IPv6), and an interface may have gone.
        return undefined;
      }
    };
    const lines: string[] = [];
    const tell = (key: string, unless?: string) => {
      const value = read(key);
      if (value !== undefined && value !== unless) lines.push(`net.${dotted(key)} = ${value}`);
    };
    for (const key of GENERAL) tell(key);
    const usual = read('ipv6/conf/all/seg6_enabled');
    for (const device of readdirSync('/proc/sys/net/ipv4/conf')) {
      if (device === 'all' || device === 'default') continue;
      tell(`ipv4/conf/${device}/rp_filter`, '0');
      tell(`ipv6/conf/${device}/disable_ipv6`, '0');
      tell(`ipv6/conf/${device}/seg6_enabled`, usual);
    }
    return `${lines.join('\n')}\n`;
  });
}

const GENERAL = [
  'ipv4/ip_forward',
  'ipv4/conf/all/rp_filter',
  'ipv6/conf/all/forwarding',
  'ipv6/conf/all/seg6_enabled',
  'netfilter/nf_hooks_lwtunnel',
] as const;

/** As sysctl(8) writes them: a dot in the name of a device becomes a slash. */
const dotted = (key: string): string => key.replaceAll(/[./]/g, (one) => (one === '/' ? '.' : '/'));

function wires(scope: Scope, links: Links): readonly DataPlaneFile[] {
  const lines = links.wires().map(({ from, to }) => `${from} -> ${to}`);
  return lines.length === 0 ? [] : [{ name: `${scope.router}.wires`, text: `${lines.join('\n')}\n` }];
}

/** A port of a unit is its own interface; that of a virtual machine, whose inside is not seen, the host's end of its wire. */
function portsOf(scope: Scope, slots: Slots): DataPlaneDump['ports'] {
  return slots.records().flatMap(({ slot, unit }) =>
    (unit?.spec.ports ?? []).map(({ id: portId }, i) => {
      const port = slot.ports[i]!;
      const place =
        slot.namespace === undefined
          ? `${hostNamespace(scope, slot.host)}:${portDevice(port.number)}`
          : `${slot.namespace}:${port.interface}`;
      return { portId, place };
    }),
  );
}
