import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { type Plugged, plugCommands, type WantedPort } from './plug-commands.ts';

/**
 * Plays the part of os-vif for every port that Neutron bound to this host: nova's fake driver plugs nothing, and a port
 * that was made by hand has no machine. Each gets an internal port of Open vSwitch; the real agent does the rest.
 */
const { values } = parseArgs({
  options: {
    socket: { type: 'string', default: '' },
    ovsdb: { type: 'string', default: '' },
    host: { type: 'string', default: '' },
    'without-servers': { type: 'boolean', default: false },
  },
});

/** Asking the database spares the API the load, and takes a millisecond. */
const INTERVAL_MS = 100;
const RETRY_MS = 1000;
const VSCTL_TIMEOUT_MS = 30_000;
const END = 'end-of-ports';
const OTHERS_PLUG = [
  'trunk:subport',
  'network:dhcp',
  'network:router_interface',
  'network:router_gateway',
  // Pods, whose daemon does it.
  'compute:kuryr',
  // A test that has a machine of its own.
  'compute:test-plugs',
];
const quote = (text: string) => `'${text.replaceAll(/[^\w.:-]/g, '')}'`;
const QUERY =
  [
    'select p.id, p.mac_address, p.device_id, b.vif_details',
    'from neutron.ports p join neutron.ml2_port_bindings b on b.port_id = p.id',
    `where b.host = ${quote(values.host)} and b.vif_type = 'ovs' and b.status = 'ACTIVE'`,
    `and p.device_owner not in (${OTHERS_PLUG.map(quote).join(', ')})`,
    ...(values['without-servers']
      ? ['and p.device_id not in (select uuid collate utf8mb3_general_ci from nova.instances)']
      : []),
  ].join(' ') + `; select ${quote(END)};\n`;

async function vsctl(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ovs-vsctl', [`--db=${values.ovsdb}`, '--timeout=30', ...args], {
    timeout: VSCTL_TIMEOUT_MS,
  });
  return stdout;
}

/** What an earlier run plugged. */
async function plugged(): Promise<Map<string, Plugged>> {
  const text = await vsctl([
    '--format=json',
    '--columns=name,external_ids',
    'find',
    'Interface',
    'external_ids:lab-plug=yes',
  ]);
  const { data } = JSON.parse(text === '' ? '{"data":[]}' : text) as {
    data: readonly [string, ['map', readonly (readonly [string, string])[]]][];
  };
  return new Map(
    data.map(([device, [, pairs]]) => {
      const ids = new Map(pairs);
      return [ids.get('iface-id') ?? '', { device, bridge: ids.get('lab-bridge') ?? 'br-int' }];
    }),
  );
}

async function follow(): Promise<void> {
  const have = await plugged();
  const client = spawn('mariadb', [
    '--socket',
    values.socket,
    '--user=root',
    '--skip-column-names',
    '--batch',
    '--unbuffered',
    '--raw',
  ]);
  client.stdin.on('error', () => {});
  client.stderr.pipe(process.stderr);
  try {
    const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
    while (true) {
      client.stdin.write(QUERY);
      const wanted = new Map<string, WantedPort>();
      while (true) {
        const line = await lines.next();
        if (line.done === true) throw new Error('the database ended the session');
        if (line.value === END) break;
        const [id = '', mac = '', owner = '', details = ''] = line.value.split('\t');
        wanted.set(id, { id, mac, owner, details });
      }
      const args = plugCommands(wanted, have);
      if (args.length > 0) await vsctl(args);
      await sleep(INTERVAL_MS);
    }
  } finally {
    client.kill();
  }
}

while (true) {
  await follow().catch((error: unknown) => process.stderr.write(`${error instanceof Error ? error.message : error}\n`));
  await sleep(RETRY_MS);
}
