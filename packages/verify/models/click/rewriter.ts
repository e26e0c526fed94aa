import {
  all,
  compare,
  constant,
  type Condition,
  type Expr,
  type Field,
  fresh,
  type Meta,
  read,
} from '../../ir/expression.ts';
import { field, protocols } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import type { SourceRef } from '../../ir/source.ts';
import type { ClickArgument } from '@superfluidity/click';
import { setDestination } from './annotations.ts';
import { dropAt, type ElementContext, type ElementModel, stateOf, unusableElement } from './element.ts';
import { is } from './headers.ts';
import { oneOf } from './ip.ts';

/**
 * IPRewriter and its like: network address translation. The table of mappings is kept in the packet, since a packet on a path
 * stands for one flow: the mapping that it installs is found again when the flow, or its answer, comes back. Mappings of
 * other flows do not exist (Symnet makes the same assumption); time-outs and full tables are not modelled.
 */

type Spec =
  | { readonly kind: 'drop' }
  | { readonly kind: 'pass'; readonly output: number }
  | {
      readonly kind: 'map';
      readonly rewrites: readonly (Expr | undefined)[];
      readonly forward: number;
      readonly reply: number;
    }
  /** Names an element that chooses: the new flow may be anything. */
  | { readonly kind: 'unknown'; readonly name: string };

/** Which parts of a packet are its flow, and where they are: source first, destination second, in pairs. */
interface Flow {
  readonly parts: readonly (readonly [src: Field, dst: Field])[];
  readonly applies: Condition;
}

const ports: Flow['parts'][number] = [field('TCP.sport'), field('TCP.dport')];
const addresses: Flow['parts'][number] = [field('IPv4.src'), field('IPv4.dst')];
const isFirst = is('IPv4.fragment', 0);

const flows = {
  tcpudp: { parts: [addresses, ports], applies: all(oneOf(read(field('IPv4.proto')), [6n, 17n]), isFirst) },
  tcp: { parts: [addresses, ports], applies: all(is('IPv4.proto', protocols.tcp), isFirst) },
  udp: { parts: [addresses, ports], applies: all(is('IPv4.proto', protocols.udp), isFirst) },
  addresses: { parts: [addresses], applies: { kind: 'always' } },
} as const satisfies Record<string, Flow>;

const keywords = new Set([
  'REAP_INTERVAL',
  'REAP_TIME',
  'MAPPING_CAPACITY',
  'CAPACITY',
  'DST_ANNO',
  'TIMEOUT',
  'GUARANTEE',
  'USE_CACHE',
  'TCP_TIMEOUT',
  'TCP_DONE_TIMEOUT',
  'TCP_NODATA_TIMEOUT',
  'TCP_GUARANTEE',
  'UDP_TIMEOUT',
  'UDP_STREAMING_TIMEOUT',
  'UDP_GUARANTEE',
]);

class Rewriter {
  readonly #context: ElementContext;
  readonly #flow: Flow;
  readonly #setsDestination: boolean;
  /** The flow as it came, the flow as it left, and which specification made it. */
  readonly #came: readonly Meta[];
  readonly #left: readonly Meta[];
  readonly #proto: Meta;
  readonly #spec: Meta;

  constructor(context: ElementContext, flow: Flow) {
    this.#context = context;
    this.#flow = flow;
    const names = flow.parts.length === 1 ? ['sa', 'da'] : ['sa', 'da', 'sp', 'dp'];
    this.#came = names.map((name) => stateOf(context, name));
    this.#left = names.map((name) => stateOf(context, `${name}2`));
    this.#proto = stateOf(context, 'proto');
    this.#spec = stateOf(context, 'spec');
    this.#setsDestination = !context.element.arguments.some(({ text }) => /^DST_ANNO (?:false|no|0)$/i.test(text));
  }

  programs(): readonly Instruction[] {
    const given = this.#context.element.arguments.filter(({ text }) => !keywords.has(text.split(' ')[0]!));
    if (given.length === 0) throw unusableElement(this.#context, 'needs a specification for each input');
    const specs = given.map((argument) => ({
      spec: this.#read(argument),
      source: { file: this.#context.element.source.file, line: argument.line },
    }));
    const known = specs.flatMap(({ spec, source }, index) => (spec.kind === 'map' ? [{ spec, source, index }] : []));
    return specs.map(({ spec, source }, index) => {
      const fresh = this.#first(spec, index, source);
      const again = known.reduceRight<Instruction>((otherwise, each) => this.#again(each, otherwise), fresh);
      const looked = known.length === 0 ? fresh : branch({ kind: 'exists', at: this.#spec }, again, fresh, source);
      if (this.#flow === flows.addresses) return looked;
      // "Handle non-TCP and non-first fragments": passed by `pass`, dropped by everything else.
      const other = spec.kind === 'pass' ? this.#context.to(spec.output) : dropAt(this.#context, 'neither TCP nor UDP');
      return branch(this.#flow.applies, looked, other, source);
    });
  }

  /** The locations of the packet in the order of the state: sa, da, sp, dp. */
  get #fields(): readonly Field[] {
    return this.#flow.parts.flat();
  }

  #swapped<T>(list: readonly T[]): readonly T[] {
    return list.map((_each, i) => list[i ^ 1]!);
  }

  #isFlow(state: readonly Meta[]): Condition {
    return all(
      ...this.#fields.map((at, i) => compare(read(at), '==', read(state[i]!))),
      compare(read(field('IPv4.proto')), '==', read(this.#proto)),
    );
  }

  #becomes(state: readonly Meta[]): Instruction {
    return block(
      ...this.#fields.map((at, i) => assign(at, read(state[i]!))),
      this.#setsDestination ? setDestination(this.#context, read(field('IPv4.dst'))) : nothing,
    );
  }

  /** A packet of a flow that has a mapping, or of its answers. */
  #again(
    {
      spec,
      source,
      index,
    }: { readonly spec: Extract<Spec, { kind: 'map' }>; readonly source: SourceRef; readonly index: number },
    otherwise: Instruction,
  ): Instruction {
    const ours = compare(read(this.#spec), '==', constant(index, 16));
    const forward = block(this.#becomes(this.#left), this.#context.to(spec.forward));
    const reply = block(this.#becomes(this.#swapped(this.#came)), this.#context.to(spec.reply));
    const hit = branch(
      all(ours, this.#isFlow(this.#came)),
      forward,
      branch(all(ours, this.#isFlow(this.#swapped(this.#left))), reply, otherwise, source),
      source,
    );
    return hit;
  }

  /** A packet of a flow that is new. */
  #first(spec: Spec, index: number, source: SourceRef): Instruction {
    switch (spec.kind) {
      case 'drop':
        return { op: 'drop', why: 'the rewriter drops new flows of this input', source };
      case 'pass':
        return this.#context.to(spec.output);
      case 'map': {
        const fields = this.#fields;
        return block(
          ...fields.map((at, i) => assign(this.#came[i]!, read(at))),
          ...fields.map((at, i) => assign(this.#left[i]!, spec.rewrites[i] ?? read(at))),
          assign(this.#proto, read(field('IPv4.proto'))),
          assign(this.#spec, constant(index, 16), source),
          this.#becomes(this.#left),
          this.#context.to(spec.forward),
        );
      }
      case 'unknown':
        return block(
          { op: 'doubt', what: `${spec.name} chooses how ${this.#context.element.name} rewrites` },
          ...this.#fields.map((at) => assign(at, fresh(at.name!, at.width))),
          {
            op: 'choose',
            branches: Array.from({ length: Math.max(1, this.#context.outputs) }, (_, port) => this.#context.to(port)),
          },
        );
    }
  }

  #read(argument: ClickArgument): Spec {
    const [kind = '', ...words] = argument.text.split(' ');
    const output = (text: string | undefined, otherwise?: number): number => {
      if (text === undefined && otherwise !== undefined) return otherwise;
      if (text === undefined || !/^\d{1,5}$/.test(text)) throw this.#wrong(argument, 'outputs are numbers');
      return Number(text);
    };
    switch (kind) {
      case 'drop':
      case 'discard':
        return { kind: 'drop' };
      case 'pass':
      case 'nochange':
      case 'passthrough':
        return { kind: 'pass', output: output(words[0], 0) };
      case 'keep':
        return { kind: 'map', rewrites: [], forward: output(words[0]), reply: output(words[1]) };
      case 'pattern':
        return this.#pattern(argument, words, output);
      default:
        if (!this.#context.elements.has(kind))
          throw this.#wrong(argument, 'it is drop, pass OUT, keep OUT OUT, or pattern SADDR SPORT DADDR DPORT OUT OUT');
        return { kind: 'unknown', name: kind };
    }
  }

  #wrong({ text, line }: ClickArgument, reason: string): Error {
    return unusableElement(this.#context, `"${text}": ${reason}`, line);
  }

  #pattern(argument: ClickArgument, words: readonly string[], output: (text: string | undefined) => number): Spec {
    const wide = this.#flow.parts.length === 2;
    const named = words.length === 3 ? this.#named(words[0]!) : undefined;
    const parts = named ?? words.slice(0, -2);
    if (parts.length !== (wide ? 4 : 2))
      throw this.#wrong(argument, wide ? 'a pattern is SADDR SPORT DADDR DPORT' : 'a pattern is SADDR DADDR');
    const [sa, sp, da, dp] = wide ? parts : [parts[0], undefined, parts[1], undefined];
    const address = (text: string | undefined) =>
      this.#range(argument, text, 32, (each) => this.#context.names.ip(each));
    const port = (text: string | undefined) =>
      this.#range(argument, text, 16, (each) =>
        /^\d{1,5}$/.test(each) && Number(each) < 65_536 ? BigInt(each) : undefined,
      );
    const rewrites = wide ? [address(sa), address(da), port(sp), port(dp)] : [address(sa), address(da)];
    return { kind: 'map', rewrites, forward: output(words.at(-2)), reply: output(words.at(-1)) };
  }

  /** Of an IPRewriterPatterns element: `NAME SADDR SPORT DADDR DPORT`. */
  #named(name: string): readonly string[] | undefined {
    for (const { className, arguments: given } of this.#context.elements.values()) {
      if (className !== 'IPRewriterPatterns') continue;
      for (const { text } of given) {
        const [first, ...rest] = text.split(' ');
        if (first === name) return rest;
      }
    }
    return undefined;
  }

  /** `-` keeps what is there; `L-H` is a value in the range, and nobody knows which one is free; `#` and `?` say how to search. */
  #range(
    argument: ClickArgument,
    text: string | undefined,
    width: number,
    parse: (text: string) => bigint | undefined,
  ): Expr | undefined {
    if (text === undefined || text === '-') return undefined;
    const whole = parse(text);
    if (whole !== undefined) return constant(whole, width);
    const [low, high, ...more] = text.replace(/[#?]$/, '').split('-').map(parse);
    const net = width === 32 && text.includes('/') ? this.#context.names.prefix(text.replace(/[#?]$/, '')) : undefined;
    if (net !== undefined) {
      const last = net.value | (~net.mask & 0xffffffffn);
      // "Don't count PREFIX.0 and PREFIX.255".
      return last - net.value > 1n
        ? fresh('rewritten', width, [[net.value + 1n, last - 1n]])
        : fresh('rewritten', width, [[net.value, last]]);
    }
    if (low === undefined || high === undefined || low > high || more.length > 0)
      throw this.#wrong(argument, `"${text}" is no value, range or "-"`);
    return fresh('rewritten', width, [[low, high]]);
  }
}

function rewriter(does: string, flow: Flow): ElementModel {
  return { kind: 'inner', does, program: (context) => new Rewriter(context, flow).programs() };
}

export const rewriterElements: Readonly<Record<string, ElementModel>> = {
  IPRewriter: rewriter('rewrites addresses and ports of TCP and UDP', flows.tcpudp),
  TCPRewriter: rewriter('rewrites addresses and ports of TCP', flows.tcp),
  UDPRewriter: rewriter('rewrites addresses and ports of UDP', flows.udp),
  IPAddrPairRewriter: rewriter('rewrites addresses, by pairs of them', flows.addresses),
};
