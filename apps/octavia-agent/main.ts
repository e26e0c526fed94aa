import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reportError, systemClock, type Logger } from '@superfluidity/core';
import { Cloud, readCloud } from '@superfluidity/openstack';
import { Agent } from './agent.ts';
import './errors.ts';
import { OpenVSwitchPlug } from './plug.ts';

/** `node apps/octavia-agent/main.ts`: see docs/guides/openstack.md. Credentials come from OS_* variables or clouds.yaml. */
const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: '/var/lib/superfluidity-octavia' },
    socket: { type: 'string', default: '/var/run/octavia/superfluidity.sock' },
    'status-socket': { type: 'string', default: '/var/run/octavia/status.sock' },
    'statistics-socket': { type: 'string', default: '/var/run/octavia/stats.sock' },
    ovsdb: { type: 'string', default: 'unix:/var/run/openvswitch/db.sock' },
    bridge: { type: 'string', default: 'br-int' },
    host: { type: 'string', default: hostname() },
    cloud: { type: 'string' },
  },
});

const line = (level: string) => (fields: object, text: string) =>
  void process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), text, ...fields })}\n`);
const log: Logger = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };

const cloud = new Cloud({
  config: await readCloud(values.cloud === undefined ? {} : { name: values.cloud }),
  clock: systemClock,
  log,
});
const { folder, socket, ovsdb, bridge, host } = values;
const agent = new Agent({
  folder: join(folder, 'balancers'),
  socket,
  statusSocket: values['status-socket'],
  statisticsSocket: values['statistics-socket'],
  plug: new OpenVSwitchPlug({ cloud, host, ovsdb, bridge }),
  log,
});
process.once('SIGTERM', () => void end());
process.once('SIGINT', () => void end());

try {
  await agent.start();
  log.info({ socket }, 'the agent of the provider listens');
} catch (error) {
  log.error({ error: reportError(error) }, 'the agent cannot start');
  process.exitCode = 1;
  await end();
}

async function end(): Promise<void> {
  await agent.close();
  await cloud.close();
}
