import type { Instruction } from '../../ir/instruction.ts';
import { nothing } from '../../ir/instruction.ts';
import { dropAt, type ElementContext, type ElementModel, inner, numberArgument, readArguments } from './element.ts';

/** Elements that decide where packets go without looking at them, and those that do nothing that matters here. */

/** Sent on unchanged. Timing, counting, printing, queueing are not part of what is verified. */
function unchanged(does: string): ElementModel {
  return { kind: 'inner', does, program: (context) => [context.to(0)] };
}

const withoutEffect: Readonly<Record<string, string>> = {
  Null: 'passes packets on',
  PushNull: 'passes packets on',
  PullNull: 'passes packets on',
  Counter: 'counts packets',
  AverageCounter: 'measures their rate',
  CPUQueue: 'stores packets',
  FrontDropQueue: 'stores packets',
  FullNoteQueue: 'stores packets',
  MSQueue: 'stores packets',
  MixedQueue: 'stores packets',
  NotifierQueue: 'stores packets',
  Queue: 'stores packets in a first-in-first-out queue',
  SimpleQueue: 'stores packets',
  ThreadSafeQueue: 'stores packets',
  QuickNoteQueue: 'stores packets',
  Print: 'prints packets',
  PrintOld: 'prints packets',
  IPPrint: 'prints IP packets',
  IP6Print: 'prints IPv6 packets',
  IPRateMonitor: 'measures rates',
  Shaper: 'limits the rate, in packets',
  BandwidthShaper: 'limits the rate, in bytes',
  Burster: 'moves packets in bursts',
  Unqueue: 'moves packets from pull to push',
  BandwidthRatedUnqueue: 'moves packets at a rate',
  RatedUnqueue: 'moves packets at a rate',
  Delay: 'delays packets',
  DelayShaper: 'delays packets',
  DelayUnqueue: 'delays packets',
  LinkUnqueue: 'delays packets as a link does',
  TimedUnqueue: 'moves packets at times',
  SetTimestamp: 'sets the time annotation',
  SetTimestampDelta: 'sets the time annotation',
  AdjustTimestamp: 'changes the time annotation',
  StoreTimestamp: 'stores the time in the payload',
  SetCycleCount: 'measures cycles',
  SetPerfCount: 'measures cycles',
  CycleCountAccum: 'measures cycles',
  RoundTripCycleCount: 'measures cycles',
  PerfCountAccum: 'measures cycles',
  Align: 'aligns packet data',
  Unique: 'copies shared packet data',
  Prefetch: 'fetches packet data',
  Truncate: 'shortens the payload',
  CheckCRC32: 'checks the check sequence, which is taken to be right',
  SetCRC32: 'appends the check sequence',
  SetIPChecksum: 'sets a checksum; checksums are taken to be right throughout',
  SetTCPChecksum: 'sets a checksum; checksums are taken to be right throughout',
  SetUDPChecksum: 'sets a checksum; checksums are taken to be right throughout',
  SetPacketType: 'sets the packet type annotation',
  AggregateCounter: 'counts by the aggregate annotation',
  AggregateIP: 'sets the aggregate annotation',
  AggregateLength: 'sets the aggregate annotation',
  AggregatePaint: 'sets the aggregate annotation',
  AggregateIPFlows: 'sets the aggregate annotation',
  FlowInfo: 'collects information',
  ToIPSummaryDump: 'writes summaries',
  TimeRange: 'records times',
};

/** May drop or divert any packet, for reasons that are not in it. */
function perhaps(does: string): ElementModel {
  return inner(does, (context) => ({
    op: 'choose',
    branches: [context.to(0), context.toOrDrop(1, does)],
    source: context.element.source,
  }));
}

/** One of the outputs, and the packet does not say which. */
function anyOutput(does: string): ElementModel {
  return inner(does, (context) => {
    const branches = Array.from({ length: Math.max(1, context.outputs) }, (_, port) => context.to(port));
    return branches.length === 1 ? branches[0]! : { op: 'choose', branches, source: context.element.source };
  });
}

function copies(context: ElementContext): Instruction {
  const given = readArguments(context, ['N']);
  const asked = numberArgument(context, given, 'N', { most: 65_535, otherwise: context.outputs });
  const count = Math.max(asked, context.outputs, 1);
  const branches = Array.from({ length: count }, (_, port) => port)
    .filter((port) => port < context.outputs || port < asked)
    .map((port) => context.to(port));
  return branches.length === 1 ? branches[0]! : { op: 'fork', branches, source: context.element.source };
}

function chosenOutput(context: ElementContext): Instruction {
  const given = readArguments(context, ['OUTPUT'], ['INPUT']);
  const port = numberArgument(context, given, 'OUTPUT', { least: -1, most: 65_535, otherwise: 0 });
  return port < 0 ? dropAt(context, 'the switch is off') : context.to(port);
}

/** PullSwitch(INPUT): only packets of that input go through. */
function chosenInput(context: ElementContext): readonly Instruction[] {
  const given = readArguments(context, ['INPUT']);
  const open = numberArgument(context, given, 'INPUT', { least: -1, most: 65_535, otherwise: 0 });
  return Array.from({ length: Math.max(1, context.inputs) }, (_, port) =>
    port === open ? context.to(0) : dropAt(context, `the switch takes packets of input ${open}`),
  );
}

/** Each input has its output: `Suppressor`, `PokeHandlers`-like elements with several lanes. */
function lanes(context: ElementContext): readonly Instruction[] {
  return Array.from({ length: Math.max(1, context.inputs, context.outputs) }, (_, port) => context.to(port));
}

function every(does: string, program: ElementModel['program']): ElementModel {
  return { kind: 'inner', does, program };
}

const end = (does: string, why: string): ElementModel => inner(does, (context) => dropAt(context, why));

function source(does: string): ElementModel {
  return { kind: 'entry', does, program: (context) => [context.to(0)] };
}

export const flowElements: Readonly<Record<string, ElementModel>> = {
  ...Object.fromEntries(Object.entries(withoutEffect).map(([name, does]) => [name, unchanged(does)])),
  Discard: end('drops all packets', 'discarded'),
  DiscardNoFree: end('drops all packets', 'discarded'),
  TimedSink: end('drops all packets', 'discarded'),
  Idle: end('discards packets; never sends one', 'the element is idle'),
  ToDump: {
    kind: 'inner',
    does: 'writes packets to a file, and passes them on if its output is connected',
    program: (context) => [context.toOrDrop(0, 'written to a file')],
  },
  Tee: inner('sends a copy to every output', copies),
  PullTee: inner('sends a copy to every output', copies),
  Switch: inner('sends packets to the output that is chosen; -1 drops them', chosenOutput),
  StaticSwitch: inner('sends packets to the output that is chosen; -1 drops them', chosenOutput),
  PullSwitch: every('takes packets of the input that is chosen', chosenInput),
  StaticPullSwitch: every('takes packets of the input that is chosen', chosenInput),
  Suppressor: every('passes each input to the output of the same number', lanes),
  RoundRobinSwitch: anyOutput('sends each packet to the next output'),
  RandomSwitch: anyOutput('sends each packet to an output at random'),
  HashSwitch: anyOutput('chooses the output by a hash of bytes of the packet'),
  StrideSwitch: anyOutput('sends packets to outputs by their tickets'),
  RoundRobinSched: every('takes packets of its inputs in turn', scheduled),
  DRRSched: every('takes packets of its inputs in turn', scheduled),
  PrioSched: every('takes packets of the first input that has one', scheduled),
  SimplePrioSched: every('takes packets of the first input that has one', scheduled),
  StrideSched: every('takes packets of its inputs by their tickets', scheduled),
  TimeSortedSched: every('takes the oldest packet', scheduled),
  Meter: anyOutput('chooses the output by the rate'),
  BandwidthMeter: anyOutput('chooses the output by the rate'),
  RatedSplitter: anyOutput('splits by rate'),
  BandwidthRatedSplitter: anyOutput('splits by rate'),
  RED: perhaps('drops packets early when a queue fills'),
  RandomSample: perhaps('samples packets at random'),
  AdaptiveRED: perhaps('drops packets early when a queue fills'),
  InfiniteSource: source('makes packets'),
  RatedSource: source('makes packets at a rate'),
  TimedSource: source('makes packets at times'),
  RandomSource: source('makes random packets'),
  FastUDPSource: source('makes UDP packets'),
  FastTCPFlows: source('makes TCP packets'),
  FastUDPFlows: source('makes UDP packets'),
};

function scheduled(context: ElementContext): readonly Instruction[] {
  return Array.from({ length: Math.max(1, context.inputs) }, () => context.to(0));
}

const ends = new Set([
  'ToDevice',
  'ToHost',
  'ToNetPort',
  'ToNetFront',
  'ToSocket',
  'ToHostSniffers',
  'ToUserDevice',
  'ToDPDKDevice',
  'ToNetmapDevice',
  'ToRawSocket',
]);
const begins = new Set([
  'FromDevice',
  'FromHost',
  'FromNetPort',
  'FromNetFront',
  'FromSocket',
  'FromDump',
  'FromTcpdump',
  'FromIPSummaryDump',
  'PollDevice',
  'FromUserDevice',
  'FromDPDKDevice',
  'FromNetmapDevice',
  'FromRawSocket',
]);
const both = new Set(['KernelTun', 'KernelTap', 'Socket', 'RawSocket']);

/** Where packets come into the box and leave it. Their arguments name devices of the machine. */
export const deviceElements: Readonly<Record<string, ElementModel>> = Object.fromEntries([
  ...[...begins].map((name): [string, ElementModel] => [
    name,
    { kind: 'entry', does: 'packets come into the box', program: (context) => [context.to(0)] },
  ]),
  ...[...ends].map((name): [string, ElementModel] => [
    name,
    { kind: 'exit', does: 'packets leave the box', program: () => [nothing] },
  ]),
  ...[...both].map((name): [string, ElementModel] => [
    name,
    {
      kind: 'both',
      does: 'packets leave the box, and others come into it',
      program: (context) => [nothing, context.to(0)],
    },
  ]),
]);

/** Elements without ports: they configure others, or Click itself. */
const informations = [
  'AddressInfo',
  'AlignmentInfo',
  'ChatterSocket',
  'ClickyInfo',
  'ControlSocket',
  'DriverManager',
  'ErrorElement',
  'IPRewriterPatterns',
  'Message',
  'PokeHandlers',
  'PortInfo',
  'ProgressBar',
  'ScheduleInfo',
  'ScheduleLinux',
  'Script',
  'StaticThreadSched',
  'BalancedThreadSched',
  'ThreadMonitor',
];

export const informationElements: Readonly<Record<string, ElementModel>> = Object.fromEntries(
  informations.map((name): [string, ElementModel] => [
    name,
    { kind: 'information', does: 'has no ports', program: () => [] },
  ]),
);
