import { append } from '@superfluidity/core';
import type { Flow } from '../../readers/openflow/flow.ts';
import type { LearnedMac } from '../../readers/openflow/fdb.ts';
import type { Group } from '../../readers/openflow/groups.ts';
import { LOCAL, type ReadPort } from '../../readers/openflow/ports.ts';
import type { SwitchPort } from '../../readers/openflow/vswitch.ts';

/** What is known of one bridge. */
export interface Bridge {
  readonly flows: readonly Flow[];
  readonly ports: readonly ReadPort[];
  /** Of the configuration: VLANs and kinds of its ports. */
  readonly configured?: readonly SwitchPort[];
  readonly groups?: readonly Group[];
  /** Stations that `NORMAL` knows. Absent: which, nobody told. */
  readonly learned?: readonly LearnedMac[];
}

export interface BridgePort {
  readonly number: number;
  /** As it is in names of ports of the network: its name, or its number. */
  readonly name: string;
  readonly configured?: SwitchPort;
}

const RESERVED = new Set(['IN_PORT', 'NORMAL', 'FLOOD', 'ALL', 'CONTROLLER', 'NONE', 'ANY', 'TABLE']);

/** Ports that have a name in a listing, and those of which flows speak. Names without a number get one that nobody has. */
export class Ports {
  readonly all: readonly BridgePort[];
  readonly #byName = new Map<string, BridgePort>();

  constructor({ flows, ports, configured = [] }: Bridge) {
    const settings = new Map(configured.map((port) => [port.name, port]));
    const made = new Map<number, BridgePort>();
    const add = (number: number, name: string) => {
      if (made.has(number)) return;
      const setting = settings.get(name);
      made.set(number, { number, name, ...(setting === undefined ? {} : { configured: setting }) });
    };
    for (const { number, name } of ports) add(number, name);
    const names = new Set([...configured.map(({ name }) => name), ...flows.flatMap(spokenOf)]);
    for (const name of names) {
      const number = name === 'LOCAL' ? LOCAL : Number(name);
      if (/^\d{1,5}$/.test(name) || name === 'LOCAL') add(number, name);
    }
    const named = new Set([...made.values()].map(({ name }) => name));
    let free = 0x8000;
    for (const name of names) {
      if (/^\d{1,5}$/.test(name) || name === 'LOCAL' || named.has(name) || RESERVED.has(name)) continue;
      const number = settings.get(name)?.number;
      if (number !== undefined) add(number, name);
      else add((free += 1), name);
    }
    this.all = [...made.values()].toSorted((a, b) => a.number - b.number);
    for (const port of this.all) {
      this.#byName.set(String(port.number), port);
      if (port.number === LOCAL) this.#byName.set('LOCAL', port);
    }
    for (const port of this.all) this.#byName.set(port.name, port);
  }

  find(name: string): BridgePort | undefined {
    return this.#byName.get(name);
  }
}

function spokenOf({ inPort, actions }: Flow): readonly string[] {
  const named: string[] = inPort === undefined ? [] : [inPort];
  const waiting = [...actions];
  for (let action = waiting.pop(); action !== undefined; action = waiting.pop()) {
    if (action.kind === 'output' || action.kind === 'resubmit') {
      if (action.port !== undefined) named.push(action.port);
    } else if (action.kind === 'write' || action.kind === 'clone') append(waiting, action.actions);
    else if (action.kind === 'buckets') append(waiting, action.buckets.flat());
  }
  return named;
}
