import { createInterface } from 'node:readline';
import { silentLogger } from '@superfluidity/core';
import type { KuryrPort, Spare } from '@superfluidity/driver-kubernetes/kuryr';
import { Daemon, type DaemonOptions } from '../daemon.ts';

/** The daemon as a process that can be killed: ports, and what lies ready in a pool, come as lines of JSON. Says `listening` when it does. */
const daemon = await Daemon.open({ ...(JSON.parse(process.argv[2]!) as DaemonOptions), log: silentLogger });
daemon.ports.setKnown(true);
daemon.spares.setKnown();
createInterface({ input: process.stdin }).on('line', (line) => {
  const told = JSON.parse(line) as KuryrPort | readonly Spare[];
  if ('length' in told) daemon.spares.tell('pool', told);
  else daemon.ports.put(told);
});
process.stdout.write('listening\n');
