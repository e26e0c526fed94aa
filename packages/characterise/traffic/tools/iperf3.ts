import { z } from 'zod';
import type { Sample } from '../../analysis/results.ts';
import { filled, parametersOf } from '../use-case.ts';
import { toolUseCase } from './tool.ts';

const shape = z.strictObject({
  host: z.string().min(1).max(256).describe('{server}: where `iperf3 -s` runs'),
  port: z.int().min(1).max(65_535).default(5_201),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  mbps: z.number().gt(0).max(1e6).describe('What is offered (default: as much as goes; of UDP 1)').exactOptional(),
  streams: z.int().min(1).max(128).default(1),
  reverse: z.boolean().default(false).describe('The server sends'),
  bytes: z.int().min(16).max(65_507).describe('Of a datagram').exactOptional(),
  duration: z.int().min(1).max(3_600).describe('Seconds'),
  interval: z.number().min(0.1).max(60).default(1).describe('Seconds of a sample, of TCP; UDP has one for all of it'),
});

/** Of the document that `iperf3 -J` prints (iperf3(1), version 3.1 or later): what is read, all else is left alone. */
const sum = z.object({ end: z.number(), bits_per_second: z.number(), retransmits: z.number().optional() });
const tcp = z.object({
  intervals: z.array(z.object({ sum, streams: z.array(z.object({ rtt: z.number().optional() })) })).min(1),
});
const udpEnd = z.object({
  end: z.object({
    sum: z.object({ end: z.number(), jitter_ms: z.number(), lost_packets: z.number(), packets: z.number() }),
    sum_received: z.object({ bits_per_second: z.number() }).optional(),
  }),
  intervals: z.array(z.object({ sum })),
});
const refused = z.object({ error: z.string() });

const MEGA = 1e6;
const US_PER_MS = 1_000;

/** How much goes through (https://software.es.net/iperf/): TCP as much as it can, or datagrams at a rate. */
export const iperf3 = toolUseCase((given) => {
  const of = parametersOf('iperf3', shape, given);
  return {
    program: 'iperf3',
    package: 'iperf3',
    seconds: of.duration,
    runs: 1,
    metrics: of.protocol === 'tcp' ? ['throughput', 'retransmits', 'rtt'] : ['throughput', 'jitter', 'error_share'],
    arguments: (service, seconds) => [
      '--client',
      filled(of.host, service),
      '--port',
      String(of.port),
      '--json',
      '--time',
      String(seconds),
      '--interval',
      String(of.interval),
      '--parallel',
      String(of.streams),
      ...(of.protocol === 'udp' ? ['--udp'] : []),
      ...(of.mbps === undefined ? [] : ['--bitrate', String(Math.round(of.mbps * MEGA))]),
      ...(of.bytes === undefined ? [] : ['--length', String(of.bytes)]),
      ...(of.reverse ? ['--reverse'] : []),
    ],
    read(output, fail) {
      const document = parsed(output);
      const told = refused.safeParse(document);
      if (told.success) throw fail(told.data.error);
      const samples = of.protocol === 'tcp' ? tcpSamples(document) : udpSamples(document);
      if (samples === undefined) throw fail('it prints what is not understood', output.slice(0, 256));
      return samples;
    },
  };
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tcpSamples(document: unknown): readonly Sample[] | undefined {
  const read = tcp.safeParse(document);
  if (!read.success) return undefined;
  return read.data.intervals.map(({ sum: all, streams }) => {
    const rtts = streams.map(({ rtt }) => rtt).filter((rtt) => rtt !== undefined);
    const rtt = rtts.length === 0 ? 0 : rtts.reduce((a, b) => a + b, 0) / rtts.length / US_PER_MS;
    return {
      atMs: all.end * 1_000,
      // The server knows neither of what it sends: absent in reverse.
      metrics: { throughput: all.bits_per_second / MEGA, retransmits: all.retransmits ?? 0, rtt },
    };
  });
}

function udpSamples(document: unknown): readonly Sample[] | undefined {
  const read = udpEnd.safeParse(document);
  if (!read.success) return undefined;
  const { sum: all, sum_received: received } = read.data.end;
  const share = all.packets === 0 ? 1 : all.lost_packets / all.packets;
  const sent = read.data.intervals.reduce((most, one) => Math.max(most, one.sum.bits_per_second), 0);
  const arrived = received?.bits_per_second ?? sent * (1 - share);
  const metrics = { throughput: arrived / MEGA, jitter: all.jitter_ms, error_share: share };
  return [{ atMs: all.end * 1_000, metrics }];
}
