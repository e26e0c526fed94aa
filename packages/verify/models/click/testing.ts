import { type ConcretePath, interpret } from '../../engine/interpret.ts';
import { constant } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, type Instruction } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import type { Network } from '../../network.ts';
import { readClick } from '../../readers/click/click.ts';
import { clickModel } from './model.ts';

/** For tests: the network that one Click configuration is. */
export function clickNetwork(text: string): Network {
  const model = clickModel('box', readClick({ path: 'test.click', text }).value);
  return {
    name: 'test',
    boxes: new Map([['box', model.box]]),
    programs: model.programs,
    links: new Map(),
    routines: model.routines!,
  };
}

export type Values = Readonly<Record<string, bigint | number>>;

const usual: Values = {
  'IPv4.length': 100,
  'IPv4.ttl': 64,
  'IPv6.hopLimit': 64,
  'TCP.dataOffset': 5,
  'IPv4.src': 0x0a000001,
  'IPv4.dst': 0x0a000002,
};

/** A packet of that layout, ordinary but for the values that are given. */
export function packet(name: string, values: Values = {}): Instruction {
  const { setup } = layout(name)!;
  const present = (field_: string) =>
    JSON.stringify(setup, (_key, value) => (typeof value === 'bigint' ? String(value) : value)).includes(`"${field_}"`);
  const all = Object.entries({ ...usual, ...values }).filter(([key]) => key in values || present(key));
  return block(setup, ...all.map(([key, value]) => assign(field(key), constant(value, field(key).width))));
}

export interface Ended {
  readonly outcome: string;
  readonly port: string;
  readonly why?: string;
  read(name: string): bigint | undefined;
  readonly path: ConcretePath;
}

export function send(network: Network, from: string, setup: Instruction, fresh?: bigint): readonly Ended[] {
  return interpret(network, `box:${from}`, setup, fresh === undefined ? {} : { fresh: () => fresh }).map((path) => ({
    outcome: path.outcome,
    port: path.port.replace(/^box:/, ''),
    ...(path.why === undefined ? {} : { why: path.why }),
    read: (name) => path.read(field(name)),
    path,
  }));
}

/** Address of dotted text, for expectations. */
export function ip(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}
