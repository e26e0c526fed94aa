import { append, SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';
import { protocols } from '../../ir/fields.ts';
import type { SourceRef } from '../../ir/source.ts';
import type { MaskedAddress } from '../../incremental/rules.ts';
import { maskLength, parseIpv4 } from '../fib/addresses.ts';
import { ipv4Of, NotUnderstood, portsOf, protocolNamed, Words } from './access-entry.ts';
import type { ObjectGroups, ServiceTest } from './access-list.ts';
import { icmpType } from './names.ts';

/** Members of a group with those of the groups in it. */
const MEMBERS_MAX = 100_000;

type Kind = 'network' | 'service';

interface Group {
  readonly kind: Kind;
  readonly networks: MaskedAddress[];
  readonly services: ServiceTest[];
  readonly within: { readonly name: string; readonly source: SourceRef }[];
  /** Some member is not understood: nobody knows what is in it. */
  isUnknown?: true;
}

/** `object-group network NAME` and `object-group service NAME`, which may stand in each other. */
export class ReadGroups implements ObjectGroups {
  readonly #groups = new Map<string, Group>();
  #current: Group | undefined;

  /** The words after `object-group`. */
  begin(words: readonly string[]): void {
    const [kind, name] = words;
    this.#current = undefined;
    if ((kind !== 'network' && kind !== 'service') || name === undefined) {
      throw new NotUnderstood('object-groups are of networks or services, and have a name');
    }
    const known = this.#groups.get(name);
    if (known !== undefined && known.kind !== kind) throw new NotUnderstood(`${name} is a group of another kind above`);
    this.#current = known ?? { kind, networks: [], services: [], within: [] };
    this.#groups.set(name, this.#current);
  }

  member(given: readonly string[], source: SourceRef): void {
    const group = this.#current;
    if (group === undefined) throw new NotUnderstood('it belongs to no group that is understood');
    try {
      this.#add(group, new Words(given), source);
    } catch (error) {
      group.isUnknown = true;
      throw error;
    }
  }

  #add(group: Group, words: Words, source: SourceRef): void {
    if (words.takeIf('group-object')) group.within.push({ name: words.take('the name of a group'), source });
    else if (group.kind === 'network') append(group.networks, networkMember(words));
    else append(group.services, serviceMember(words));
    if (words.next !== undefined) throw new NotUnderstood(`'${words.rest().slice(0, 40)}' is more than a member`);
  }

  networks(name: string): readonly MaskedAddress[] | undefined {
    return this.#known(name, 'network', (group) => group.networks);
  }

  services(name: string): readonly ServiceTest[] | undefined {
    return this.#known(name, 'service', (group) => group.services);
  }

  readonly #found = new Map<string, readonly unknown[]>();

  #known<T>(name: string, kind: Kind, own: (group: Group) => readonly T[]): readonly T[] | undefined {
    if (this.#groups.get(name)?.kind !== kind) return undefined;
    const members = (this.#found.get(name) as readonly T[] | undefined) ?? this.#members(name, own);
    this.#found.set(name, members);
    return members;
  }

  /** With what is in the groups within. A group that contains itself is no group. */
  #members<T>(start: string, own: (group: Group) => readonly T[]): readonly T[] {
    const members: T[] = [];
    /** By hand and not by recursion: a file may nest ten thousand groups. */
    const stack: { readonly name: string; readonly left: Group['within'] }[] = [];
    const open = new Set<string>();
    const done = new Set<string>();
    const { kind } = this.#groups.get(start)!;
    const enter = (name: string, source?: SourceRef) => {
      const group = this.#groups.get(name);
      if (group === undefined || group.kind !== kind) throw wrong(source!, `there is no ${kind} group ${name}`);
      if (open.has(name)) throw wrong(source!, `the group ${name} contains itself`);
      if (done.has(name)) return;
      if (group.isUnknown) throw new NotUnderstood(`the group ${name} has a member that is not understood`);
      open.add(name);
      append(members, own(group));
      if (members.length > MEMBERS_MAX) throw wrong(source!, `the group has more than ${MEMBERS_MAX} members`);
      stack.push({ name, left: [...group.within] });
    };
    enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.left.pop();
      if (next !== undefined) enter(next.name, next.source);
      else {
        stack.pop();
        open.delete(top.name);
        done.add(top.name);
      }
    }
    return members;
  }
}

export function wrong({ file, line }: SourceRef, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', {
    doing: `read ${file}`,
    reason: `${file}:${line}: ${reason}`,
    data: { file, line },
  });
}

/** `host A`, `A MASK`, `A /LENGTH`, `range A B`, `any`. Masks are those of subnets here, not wildcards. */
function networkMember(words: Words): readonly MaskedAddress[] {
  if (words.takeIf('any')) return [{ value: 0, wildcard: 0xffff_ffff }];
  if (words.takeIf('host')) return [{ value: ipv4Of(words), wildcard: 0 }];
  if (words.takeIf('range')) return prefixesBetween(ipv4Of(words), ipv4Of(words));
  const value = ipv4Of(words);
  const text = words.take('a mask');
  const length = /^\/\d{1,2}$/.test(text)
    ? Number(text.slice(1))
    : parseIpv4(text) === undefined
      ? 33
      : maskLength(text);
  if (length === undefined || length > 32) throw new NotUnderstood(`'${text.slice(0, 40)}' is no mask`);
  return [{ value, wildcard: 2 ** (32 - length) - 1 }];
}

/** The fewest prefixes that are the range. */
function prefixesBetween(low: number, high: number): readonly MaskedAddress[] {
  if (low > high) throw new NotUnderstood('the range ends before it begins');
  const found: MaskedAddress[] = [];
  for (let at = low; at <= high; ) {
    let size = 1;
    while (at % (2 * size) === 0 && at + 2 * size - 1 <= high) size *= 2;
    found.push({ value: at, wildcard: size - 1 });
    at += size;
  }
  return found;
}

/** `tcp [source PORTS] [PORTS]`, `icmp TYPE`, `tcp-udp PORTS`, a protocol. */
function serviceMember(words: Words): readonly ServiceTest[] {
  const name = words.take('a protocol').toLowerCase();
  if (name === 'icmp') {
    const type = words.next === undefined ? undefined : icmpType(words.next);
    if (type !== undefined) words.take('a type');
    const icmp =
      type === undefined ? {} : { icmp: { type: type[0], ...(type[1] === undefined ? {} : { code: type[1] }) } };
    return [{ protocol: protocols.icmp, ...icmp }];
  }
  const numbers = name === 'tcp-udp' ? [protocols.tcp, protocols.udp] : [protocolNamed(name)];
  const sourcePorts = words.takeIf('source') ? portsOf(words) : undefined;
  const destinationPorts = portsOf(words) ?? undefined;
  const isTransport = numbers.every((number) => number === protocols.tcp || number === protocols.udp);
  if ((sourcePorts ?? destinationPorts) !== undefined && !isTransport) {
    throw new NotUnderstood('only TCP and UDP have ports');
  }
  return numbers.map((protocol) => ({
    ...(protocol === undefined ? {} : { protocol }),
    ...(sourcePorts === undefined ? {} : { sourcePorts }),
    ...(destinationPorts === undefined ? {} : { destinationPorts }),
  }));
}
