import { describe, expect, it } from 'vitest';
import { decodeAttributes } from '@superfluidity/netlink';
import { delayPackets } from './netem.ts';

/** By the byte, as include/uapi/linux/pkt_sched.h has it: few kernels at hand have the module. */
describe('netem', () => {
  it('asks for delay, jitter and loss, with a rate that keeps packets in order', () => {
    const request = delayPackets(100, { delayMs: 12.5, jitterMs: 1, loss: 0.25 });
    expect(request.words).toBe('tc qdisc replace dev #100 root netem limit 8192 delay 12.5ms 1ms loss 25% rate 10gbit');
    const message = Buffer.from(request.body());
    expect([message.readInt32LE(4), message.readUInt32LE(12)]).toEqual([100, 0xffffffff]);
    const attributes = decodeAttributes(message, 20);
    expect(attributes.get(1)!.toString()).toBe('netem\0');
    const options = attributes.get(2)!;
    expect([options.readUInt32LE(4), options.readUInt32LE(8)]).toEqual([8192, 0x40000000]);
    const more = decodeAttributes(options, 24);
    expect(more.get(6)!.readUInt32LE()).toBe(1.25e9);
    expect(more.get(10)!.readBigInt64LE()).toBe(12_500_000n);
    expect(more.get(11)!.readBigInt64LE()).toBe(1_000_000n);
  });

  it('loses everything, or nothing, when told so', () => {
    const loss = (part: number) => {
      const message = Buffer.from(delayPackets(1, { delayMs: 0, loss: part }).body());
      return decodeAttributes(message, 20).get(2)!.readUInt32LE(8);
    };
    expect([loss(0), loss(1)]).toEqual([0, 0xffffffff]);
  });
});
