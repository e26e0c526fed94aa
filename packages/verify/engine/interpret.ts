import type { Condition, Expr, Field, Location } from '../ir/expression.ts';
import type { Instruction } from '../ir/instruction.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Match, Table } from '../ir/table.ts';
import { boxOf, type Network, type PortId } from '../network.ts';
import type { Hop, Outcome } from './path.ts';

/**
 * One concrete packet through a network, by an interpreter that shares no code with the symbolic one: tables by walking
 * their entries, values as numbers. It is the oracle for the engine, and what `verify explain` shows.
 */
export interface ConcretePath {
  readonly outcome: Outcome;
  readonly port: PortId;
  readonly hops: readonly Hop[];
  readonly why?: string;
  readonly source?: SourceRef;
  readonly doubts: readonly string[];
  readonly copies: number;
  readonly choices: number;
  /** Where the packet became several: into which branch of which event it went, and after how many ports. */
  readonly splits: readonly {
    readonly event: object;
    readonly kind: 'copy' | 'choice';
    readonly branch: number;
    readonly hops: number;
  }[];
  /** What `watch` answered at each port, and at the end. */
  readonly seen: readonly unknown[];
  /** The value of a location at the end. */
  readonly read: Read;
}

export interface InterpretOptions {
  /** Values for new symbols. Default: the smallest that is allowed. */
  readonly fresh?: (
    name: string,
    width: number,
    ranges: readonly (readonly [bigint, bigint])[],
    /** How many the packet drew before, on its way here. */
    index: number,
  ) => bigint;
  /** Default 200. */
  readonly hops?: number;
  /** Asked wherever the packet arrives, and where it ends; the answers are `seen` of the path. */
  readonly watch?: (port: PortId, read: Read) => unknown;
}

/** The value of a location now. */
export type Read = (at: Location) => bigint | undefined;

interface Cell {
  readonly width: number;
  readonly stack: (bigint | undefined)[];
}

interface Contents {
  cells: Map<number | string, Cell>;
  tags: Map<string, number>;
}

/** A loop that copies makes more of them than there is memory for. */
const COPIES_MAX = 20_000;

class Failure extends Error {}

/** A packet that somebody built: `setup` allocates and assigns, `fresh` gives the values of its symbols. */
export function interpret(
  network: Network,
  port: PortId,
  setup: Instruction,
  options: InterpretOptions = {},
): readonly ConcretePath[] {
  const done: ConcretePath[] = [];
  const start = new Packet(port, { cells: new Map(), tags: new Map() });
  const machine = new Machine(network, options, done);
  const waiting = [...machine.run(start, setup)];
  const hopsMax = options.hops ?? 200;
  while (waiting.length > 0) {
    const packet = waiting.pop()!;
    packet.look(options);
    if (done.length + waiting.length > COPIES_MAX) {
      machine.end(packet, 'unfinished', `more than ${COPIES_MAX} copies`);
      continue;
    }
    if (packet.hops.length > hopsMax) {
      machine.end(packet, 'loop', 'it does not come to an end');
      continue;
    }
    const unknown = network.unknown?.get(boxOf(packet.port));
    if (unknown !== undefined) {
      machine.end(packet, 'unfinished', unknown);
      continue;
    }
    const program = network.programs.get(packet.port);
    machine.onward = waiting;
    const through = program === undefined ? [packet] : machine.run(packet, program);
    for (const each of through) {
      const links = network.links.get(each.port) ?? [];
      if (links.length === 0) {
        const isEdge = network.edges?.has(each.port) ?? true;
        if (isEdge) machine.end(each, 'delivered');
        else machine.end(each, 'black hole', 'nothing is connected here');
      }
      const copies = links.length > 1 ? each.split('copies', links.length) : [each];
      for (const [i, to] of links.entries()) {
        copies[i]!.arrive(to);
        waiting.push(copies[i]!);
      }
    }
  }
  return done;
}

class Packet {
  contents: Contents;
  readonly saved = new Map<string, Contents>();
  hops: { readonly port: PortId; readonly because: SourceRef[] }[];
  doubts: string[] = [];
  copies = 0;
  choices = 0;
  drawn = 0;
  splits: ConcretePath['splits'] = [];
  seen: unknown[] = [];

  constructor(port: PortId, contents: Contents) {
    this.contents = contents;
    this.hops = [{ port, because: [] }];
  }

  get port(): PortId {
    return this.hops.at(-1)!.port;
  }

  copy(): Packet {
    const made = new Packet(this.port, cloned(this.contents));
    for (const [name, contents] of this.saved) made.saved.set(name, contents);
    made.hops = this.hops.map(({ port, because }) => ({ port, because: [...because] }));
    made.doubts = [...this.doubts];
    made.copies = this.copies;
    made.choices = this.choices;
    made.drawn = this.drawn;
    made.splits = this.splits;
    made.seen = [...this.seen];
    return made;
  }

  split(kind: 'copies' | 'choices', branches: number): Packet[] {
    const [event, hops] = [{}, this.hops.length];
    return Array.from({ length: branches }, (_, branch) => {
      const made = this.copy();
      made[kind] += 1;
      made.splits = [...this.splits, { event, kind: kind === 'copies' ? 'copy' : 'choice', branch, hops }];
      return made;
    });
  }

  look({ watch }: InterpretOptions): void {
    if (watch !== undefined) this.seen.push(watch(this.port, (at) => this.read(at)));
  }

  read(at: Location): bigint | undefined {
    const { cells, tags } = this.contents;
    if (at.kind === 'meta') return cells.get(metaKey(at))?.stack.at(-1);
    const tag = tags.get(at.tag);
    return tag === undefined ? undefined : cells.get(tag + at.offset)?.stack.at(-1);
  }

  arrive(port: PortId): void {
    this.hops.push({ port, because: [] });
  }

  because(source: SourceRef | undefined): void {
    if (source !== undefined) this.hops.at(-1)!.because.push(source);
  }

  end(outcome: Outcome, why?: string, source?: SourceRef): ConcretePath {
    return {
      outcome,
      port: this.port,
      hops: this.hops,
      ...(why === undefined ? {} : { why }),
      ...(source === undefined ? {} : { source }),
      doubts: this.doubts,
      copies: this.copies,
      choices: this.choices,
      splits: this.splits,
      seen: this.seen,
      read: (at) => this.read(at),
    };
  }
}

function cloned({ cells, tags }: Contents): Contents {
  const copy = new Map([...cells].map(([key, { width, stack }]) => [key, { width, stack: [...stack] }]));
  return { cells: copy, tags: new Map(tags) };
}

function metaKey({ name, box }: { readonly name: string; readonly box?: string }): string {
  return box === undefined ? name : `${box}/${name}`;
}

class Machine {
  onward: Packet[] = [];
  readonly #network: Network;
  readonly #options: InterpretOptions;
  readonly #done: ConcretePath[];

  constructor(network: Network, options: InterpretOptions, done: ConcretePath[]) {
    this.#network = network;
    this.#options = options;
    this.#done = done;
  }

  end(packet: Packet, outcome: Outcome, why?: string, source?: SourceRef): void {
    packet.look(this.#options);
    this.#done.push(packet.end(outcome, why, source));
  }

  run(packet: Packet, instruction: Instruction): Packet[] {
    try {
      return this.#run(packet, instruction);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      packet.because(instruction.source);
      this.end(packet, 'failed', error.message, instruction.source);
      return [];
    }
  }

  #run(packet: Packet, instruction: Instruction): Packet[] {
    const { cells, tags } = packet.contents;
    const { source } = instruction;
    switch (instruction.op) {
      case 'block': {
        let packets = [packet];
        for (const each of instruction.body) packets = packets.flatMap((one) => this.run(one, each));
        return packets;
      }
      case 'allocate': {
        const key = this.#key(packet, instruction.at);
        const cell = cells.get(key);
        if (cell === undefined) {
          if (typeof key === 'number') this.#overlap(cells, key, instruction.width);
          cells.set(key, { width: instruction.width, stack: [undefined] });
        } else {
          if (typeof key === 'number' && cell.width !== instruction.width) throw new Failure('another width');
          cells.set(key, { width: instruction.width, stack: [...cell.stack, undefined] });
        }
        return [packet];
      }
      case 'deallocate': {
        const key = this.#key(packet, instruction.at);
        const cell = cells.get(key);
        if (cell === undefined) throw new Failure('not there');
        if (instruction.width !== undefined && instruction.width !== cell.width) throw new Failure('another width');
        cell.stack.pop();
        if (cell.stack.length === 0) cells.delete(key);
        return [packet];
      }
      case 'assign': {
        const value = this.#value(packet, instruction.value);
        const key = this.#key(packet, instruction.to);
        const cell = cells.get(key);
        if (cell === undefined) {
          if (instruction.to.kind === 'field') throw new Failure('written, and not there');
          cells.set(key, { width: value.width, stack: [value.number] });
        } else if (cell.width !== value.width) {
          if (instruction.to.kind === 'field' || cell.stack.length !== 1) throw new Failure('another width');
          cells.set(key, { width: value.width, stack: [value.number] });
        } else cell.stack[cell.stack.length - 1] = value.number;
        return [packet];
      }
      case 'createTag': {
        const base = instruction.relativeTo === undefined ? 0 : tags.get(instruction.relativeTo);
        if (base === undefined) throw new Failure('no such tag');
        tags.set(instruction.tag, base + instruction.offset);
        return [packet];
      }
      case 'destroyTag':
        if (!tags.delete(instruction.tag)) throw new Failure('no such tag');
        return [packet];
      case 'constrain':
        if (this.#holds(packet, instruction.condition)) return [packet];
        packet.because(source);
        this.end(packet, 'dropped', instruction.why ?? 'a condition is not met', source);
        return [];
      case 'if': {
        const yes = this.#holds(packet, instruction.condition);
        packet.because(source);
        return this.run(packet, yes ? instruction.yes : instruction.no);
      }
      case 'for': {
        const star = instruction.pattern.indexOf('*');
        const [before, after] =
          star < 0
            ? [instruction.pattern, '']
            : [instruction.pattern.slice(0, star), instruction.pattern.slice(star + 1)];
        const names = [...cells.keys()]
          .filter((key): key is string => typeof key === 'string')
          .filter((name) =>
            star < 0
              ? name === before
              : name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after),
          )
          .sort();
        let packets = [packet];
        for (const name of names) {
          const text = name.slice(before.length, name.length - after.length);
          const body = named(instruction.body, text) as Instruction;
          packets = packets.flatMap((one) => this.run(one, body));
        }
        return packets;
      }
      case 'forward':
        packet.because(source);
        packet.arrive(instruction.to);
        this.onward.push(packet);
        return [];
      case 'fork':
      case 'choose':
        return packet
          .split(instruction.op === 'fork' ? 'copies' : 'choices', instruction.branches.length)
          .flatMap((copy, i) => this.run(copy, instruction.branches[i]!));
      case 'fail':
      case 'drop':
        packet.because(source);
        this.end(packet, instruction.op === 'fail' ? 'failed' : 'dropped', instruction.why, source);
        return [];
      case 'destroyPacket':
        for (const key of cells.keys()) if (typeof key === 'number') cells.delete(key);
        tags.clear();
        return [packet];
      case 'save':
        packet.saved.set(instruction.name, cloned(packet.contents));
        return [packet];
      case 'load': {
        const saved = packet.saved.get(instruction.name);
        if (saved === undefined) throw new Failure('nothing saved');
        packet.contents = cloned(saved);
        return [packet];
      }
      case 'table':
        return this.#table(packet, instruction.table, source);
      case 'call': {
        const body = this.#network.routines.get(instruction.routine);
        if (body === undefined) throw new Failure('no such routine');
        return this.run(packet, body);
      }
      case 'doubt': {
        if (packet.doubts.includes(instruction.what)) return [packet];
        packet.doubts.push(instruction.what);
        if (instruction.covered) return [packet];
        const [asModelled, otherwise] = packet.split('choices', 2);
        this.end(otherwise!, 'unfinished', instruction.what, source);
        return [asModelled!];
      }
    }
  }

  /** Entry by entry, as the tables of manuals are read. */
  #table(packet: Packet, table: Table, source: SourceRef | undefined): Packet[] {
    const keys = table.keys.map(({ of, absent }) => {
      try {
        return this.#value(packet, of).number;
      } catch (error) {
        if (absent === 'fail' || !(error instanceof Failure)) throw error;
        return undefined;
      }
    });
    const { entries } = table;
    let hit: { readonly behaviour: number; readonly source?: SourceRef | undefined } | undefined;
    if (entries.kind === 'rules') {
      hit = entries.rules.find((rule) =>
        rule.match.every(
          (match, i) => match === undefined || (keys[i] !== undefined && matches(match, keys[i], table.keys[i]!.width)),
        ),
      );
    } else if (keys[0] !== undefined) {
      const key = Number(keys[0]);
      let best = -1;
      let bestLength = -1;
      const size = entries.kind === 'exact' ? entries.values.length : entries.addresses.length;
      for (let i = 0; i < size; i += 1) {
        if (entries.kind === 'exact') {
          if (entries.values[i] !== key) continue;
          best = i;
          break;
        }
        const length = entries.lengths[i]!;
        const block = 2 ** (table.keys[0]!.width - length);
        if (length > bestLength && Math.floor(key / block) === Math.floor(entries.addresses[i]! / block)) {
          best = i;
          bestLength = length;
        }
      }
      if (best >= 0) {
        const line = entries.lines?.[best];
        const at = line === undefined || entries.file === undefined ? undefined : { file: entries.file, line };
        hit = { behaviour: entries.behaviour[best]!, source: at };
      }
    }
    packet.because(source);
    packet.because(hit?.source);
    return this.run(packet, hit === undefined ? table.miss : table.behaviours[hit.behaviour]!);
  }

  #overlap(cells: ReadonlyMap<number | string, Cell>, address: number, width: number): void {
    for (const [key, cell] of cells) {
      if (typeof key === 'number' && key < address + width && address < key + cell.width) throw new Failure('overlap');
    }
  }

  #key(packet: Packet, at: Location): number | string {
    return at.kind === 'meta' ? metaKey(at) : this.#address(packet, at);
  }

  #address(packet: Packet, at: Field): number {
    const base = packet.contents.tags.get(at.tag);
    if (base === undefined) throw new Failure(`no tag ${at.tag}`);
    return base + at.offset;
  }

  #value(packet: Packet, expr: Expr): { readonly number: bigint; readonly width: number } {
    const wrap = (number: bigint, width: number) => ({ number: BigInt.asUintN(width, number), width });
    switch (expr.kind) {
      case 'const':
        return wrap(expr.value, expr.width);
      case 'read': {
        const cell = packet.contents.cells.get(this.#key(packet, expr.from));
        const number = cell?.stack.at(-1);
        if (cell === undefined || number === undefined) throw new Failure('nothing to read');
        if (expr.from.kind === 'field' && expr.from.width !== cell.width) throw new Failure('another width');
        return { number, width: cell.width };
      }
      case 'fresh': {
        const among = expr.ranges ?? [[0n, (1n << BigInt(expr.width)) - 1n]];
        const number = this.#options.fresh?.(expr.name, expr.width, among, packet.drawn) ?? among[0]![0];
        packet.drawn += 1;
        return wrap(number, expr.width);
      }
      case 'binary': {
        const [a, b] = [this.#value(packet, expr.left), this.#value(packet, expr.right)];
        if (a.width !== b.width) throw new Failure('other widths');
        const result = {
          add: a.number + b.number,
          sub: a.number - b.number,
          mul: a.number * b.number,
          and: a.number & b.number,
          or: a.number | b.number,
          xor: a.number ^ b.number,
        }[expr.op];
        return wrap(result, a.width);
      }
      case 'not': {
        const of = this.#value(packet, expr.of);
        return wrap(~of.number, of.width);
      }
      case 'shift': {
        const of = this.#value(packet, expr.of);
        return wrap(expr.op === 'left' ? of.number << BigInt(expr.by) : of.number >> BigInt(expr.by), of.width);
      }
      case 'slice': {
        const of = this.#value(packet, expr.of);
        if (expr.high >= of.width || expr.low > expr.high) throw new Failure('no such bits');
        return wrap(of.number >> BigInt(expr.low), expr.high - expr.low + 1);
      }
      case 'concat': {
        let [number, width] = [0n, 0];
        for (const part of expr.parts) {
          const value = this.#value(packet, part);
          number = (number << BigInt(value.width)) | value.number;
          width += value.width;
        }
        return { number, width };
      }
      case 'extend': {
        const of = this.#value(packet, expr.of);
        if (expr.width < of.width) throw new Failure('shorter');
        return { number: of.number, width: expr.width };
      }
    }
  }

  #holds(packet: Packet, condition: Condition): boolean {
    switch (condition.kind) {
      case 'always':
        return true;
      case 'never':
        return false;
      case 'compare': {
        const [a, b] = [this.#value(packet, condition.left).number, this.#value(packet, condition.right).number];
        return { '==': a === b, '!=': a !== b, '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[condition.op];
      }
      case 'within': {
        const { number } = this.#value(packet, condition.of);
        return condition.ranges.some(([low, high]) => number >= low && number <= high);
      }
      case 'masked':
        return (this.#value(packet, condition.of).number & condition.mask) === condition.value;
      case 'exists':
        return this.#exists(packet, condition.at);
      case 'at':
        return condition.ports.includes(packet.port);
      case 'negation':
        return !this.#holds(packet, condition.of);
      case 'all':
        return condition.of.every((part) => this.#holds(packet, part));
      case 'any':
        return condition.of.some((part) => this.#holds(packet, part));
    }
  }

  #exists(packet: Packet, at: Location): boolean {
    if (at.kind === 'field' && !packet.contents.tags.has(at.tag)) return false;
    const cell = packet.contents.cells.get(this.#key(packet, at));
    return cell?.stack.at(-1) !== undefined && (at.kind === 'meta' || cell.width === at.width);
  }
}

function matches(match: Match, key: bigint, width: number): boolean {
  switch (match.kind) {
    case 'range':
      return key >= match.low && key <= match.high;
    case 'prefix':
      return key >> BigInt(width - match.length) === match.value >> BigInt(width - match.length);
    case 'mask':
      return (key & match.mask) === match.value;
    case 'set':
      return match.ranges.some(([low, high]) => key >= low && key <= high);
    case 'other':
      return !matches(match.of, key, width);
  }
}

/** A copy in which `{}` is filled in wherever metadata is named. */
function named(part: unknown, text: string, key = ''): unknown {
  if (typeof part === 'string') return key === 'meta' ? part.replaceAll('{}', text) : part;
  if (part === null || typeof part !== 'object' || ArrayBuffer.isView(part)) return part;
  if (Array.isArray(part)) return part.map((each) => named(each, text));
  const isMeta = (part as { kind?: unknown }).kind === 'meta';
  return Object.fromEntries(
    Object.entries(part).map(([name, each]) => [name, named(each, text, isMeta && name === 'name' ? 'meta' : '')]),
  );
}
