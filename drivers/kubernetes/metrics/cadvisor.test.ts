import { expect, it } from 'vitest';
import { readCadvisor } from './cadvisor.ts';

/** Lines as a kubelet of 1.34 writes them, shortened. */

const of = (container: string, more = '') =>
  `{container="${container}",id="/kubepods/pod1",image="busybox",name="a1"${more},namespace="edge",pod="sf-unit-1"}`;
const onWire = of('', ',interface="eth0"');

it('reads what a pod takes, of its one container and its interface', () => {
  const text = [
    '# HELP container_cpu_usage_seconds_total Cumulative cpu time consumed in seconds.',
    `container_cpu_usage_seconds_total${of('unit', ',cpu="total"')} 1.25 1700000000000`,
    `container_cpu_usage_seconds_total${of('', ',cpu="total"')} 9 1700000000000`,
    `container_cpu_cfs_throttled_seconds_total${of('unit')} 0.5 1700000000100`,
    `container_memory_working_set_bytes${of('unit')} 1.048576e+06 1700000000000`,
    `container_processes${of('unit')} 2 1700000000000`,
    `container_network_receive_bytes_total${onWire} 1000 1700000000000`,
    `container_network_receive_packets_total${onWire} 10 1700000000000`,
    `container_network_receive_packets_dropped_total${onWire} 1 1700000000000`,
    `container_network_transmit_bytes_total${onWire} 500 1700000000000`,
    `container_network_transmit_packets_total${onWire} 5 1700000000000`,
    `container_network_transmit_packets_dropped_total${onWire} 0 1700000000000`,
    `container_network_receive_bytes_total${of('', ',interface="net1"')} 7 1700000000000`,
    'container_cpu_usage_seconds_total{container="unit",namespace="other",pod="sf-unit-1"} 77 1700000000000',
    'container_processes{container="unit",namespace="edge",pod="broken"} many',
    'nonsense',
    '',
  ].join('\n');
  expect(Object.fromEntries(readCadvisor(text, 'edge'))).toEqual({
    'sf-unit-1': {
      atMs: 1_700_000_000_100,
      cpuMs: 1_250,
      throttledMs: 500,
      memoryBytes: 1_048_576,
      processes: 2,
      traffic: { rxBytes: 1_000, rxPackets: 10, rxDropped: 1, txBytes: 500, txPackets: 5, txDropped: 0 },
    },
  });
});

it('takes what the pod takes for what its container does, where containers are not told apart', () => {
  const whole = '{container="",id="/kubepods/pod1",image="",name="",namespace="edge",pod="sf-unit-1"}';
  const text = [
    `container_cpu_usage_seconds_total${whole} 2 100`,
    `container_processes${whole} 0 100`,
    `container_memory_working_set_bytes${whole} 4096 100`,
    `container_memory_working_set_bytes${of('unit')} 1024 100`,
    // The container that holds the namespaces of the pod.
    `container_cpu_usage_seconds_total${of('')} 7 200`,
  ].join('\n');
  expect(readCadvisor(text, 'edge').get('sf-unit-1')).toEqual({
    atMs: 100,
    cpuMs: 2_000,
    memoryBytes: 1_024,
    traffic: {},
  });
});

it('believes the later one of a container and its successor', () => {
  const line = (value: number, atMs: number) => `container_processes${of('unit')} ${value} ${atMs}`;
  for (const lines of [
    [line(1, 100), line(2, 200)],
    [line(2, 200), line(1, 100)],
  ])
    expect(readCadvisor(lines.join('\n'), 'edge').get('sf-unit-1')).toMatchObject({ processes: 2, atMs: 200 });
});

it('reads no name of an object as one of its own', () => {
  expect(readCadvisor(`constructor${of('unit')} 1 2\ntoString${of('unit')} 1 2`, 'edge').size).toBe(0);
});
