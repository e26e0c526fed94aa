import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findGuestKernel, guestCacheFolder } from '@superfluidity/driver-linux/guest';
import type { Machine } from './machine.ts';

/** Something that a machine may lack. */
export interface Need {
  readonly name: string;
  readonly neededFor: string;
  /** run: the linux driver does less without it. test: a test is skipped. extra: nice to have. */
  readonly use: 'run' | 'test' | 'extra';
  /** Debian package that brings it. */
  readonly package?: string;
  readonly present: (machine: Machine) => boolean;
}

const POSTGRESQL = '/usr/lib/postgresql';
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function program(name: string, packageName: string, use: Need['use'], neededFor: string): Need {
  return { name, package: packageName, use, neededFor, present: (machine) => machine.has(name) };
}

export const needs: readonly Need[] = [
  program('nft', 'nftables', 'run', 'packet functions, security rules, NAT and classifiers of service chains'),
  program('runc', 'runc', 'run', 'containers'),
  program('qemu-system-x86_64', 'qemu-system-x86', 'run', 'virtual machines'),
  { ...program('busybox', 'busybox-static', 'run', 'what runs inside virtual machines'), name: 'busybox (static)' },
  {
    name: 'guest kernel',
    use: 'run',
    neededFor: `virtual machines; fetched into ${guestCacheFolder()}, not installed`,
    present: () => findGuestKernel(guestCacheFolder()) !== undefined,
  },
  program('haproxy', 'haproxy', 'run', 'load balancers that look into HTTP'),
  {
    ...program('conntrack', 'conntrack', 'run', 'counting the flows of a chain where the kernel has no list in /proc'),
    // The list is there once the module is loaded, and then the program is not asked.
    present: (machine) => machine.has('conntrack') || existsSync('/proc/net/nf_conntrack'),
  },
  program('ip', 'iproute2', 'test', 'tests of the linux driver, and looking at what it made'),
  program('ping', 'iputils-ping', 'test', 'tests that send packets'),
  program('iptables-restore', 'iptables', 'test', 'tests of verification against the packet filter of the kernel'),
  program('ipset', 'ipset', 'test', 'tests of verification against the packet filter of the kernel'),
  program('sysctl', 'procps', 'test', 'tests of verification against the packet filter of the kernel'),
  program('ovs-vswitchd', 'openvswitch-switch', 'test', 'tests of verification against Open vSwitch'),
  program('python3', 'python3', 'test', 'tests of verification that send raw packets in namespaces'),
  program('ansible-playbook', 'ansible-core', 'test', 'tests of the playbooks that services are written as'),
  program('podman', 'podman', 'test', 'containers in these tests; the comparison in `npm run bench -- provision`'),
  program('iperf3', 'iperf3', 'test', 'tests of traffic that iperf3 makes'),
  program('wrk', 'wrk', 'test', 'tests of traffic that wrk makes'),
  program('tcpdump', 'tcpdump', 'test', 'tests of the language of packets; looking at packets'),
  program('cc', 'gcc', 'test', 'the CNI plugin of Kuryr, which is compiled; nodes get it compiled'),
  {
    name: 'libc6-dev',
    package: 'libc6-dev',
    use: 'test',
    neededFor: 'the CNI plugin of Kuryr, which is compiled',
    present: () => existsSync('/usr/include/stdio.h'),
  },
  {
    name: 'containernetworking plugins',
    package: 'containernetworking-plugins',
    use: 'test',
    neededFor: 'tests of plugins behind that of Kuryr; the comparison in `npm run bench -- kuryr`',
    present: () => existsSync('/usr/lib/cni/bridge'),
  },
  {
    name: 'postgresql',
    package: 'postgresql',
    use: 'test',
    neededFor: 'tests on a database server',
    present: () =>
      existsSync(POSTGRESQL) &&
      readdirSync(POSTGRESQL).some((version) => existsSync(join(POSTGRESQL, version, 'bin', 'postgres'))),
  },
  {
    name: 'chromium',
    package: 'chromium',
    use: 'test',
    neededFor: 'tests of the console',
    present: (machine) => BROWSERS.some((browser) => machine.has(browser)),
  },
];
