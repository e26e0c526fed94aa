import { createInterface } from 'node:readline';
import { silentLogger } from '@superfluidity/core';
import type { KuryrPort } from '../../api/port.ts';
import { Daemon, type DaemonOptions } from '../daemon.ts';

/** The daemon as a process that can be killed: ports come as lines of JSON. Says `listening` when it does. */
const daemon = await Daemon.open({ ...(JSON.parse(process.argv[2]!) as DaemonOptions), log: silentLogger });
daemon.ports.setKnown(true);
createInterface({ input: process.stdin }).on('line', (line) => daemon.ports.put(JSON.parse(line) as KuryrPort));
process.stdout.write('listening\n');
