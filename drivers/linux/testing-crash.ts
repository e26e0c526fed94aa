import { silentLogger, systemClock } from '@superfluidity/core';
import { linuxDriver } from './index.ts';

/** Makes and removes units without end, to be killed while it does: `testing-crash.ts SITE-ID STATE-FOLDER FENCE`. */
const [id, stateFolder, fence] = process.argv.slice(2);
const site = await linuxDriver.open({
  id: id!,
  name: 'trial',
  config: { hosts: ['h1', 'h2'].map((name) => ({ name, cpu: 8, memoryMiB: 8192 })) },
  stateFolder: stateFolder!,
  clock: systemClock,
  log: silentLogger,
});
const call = () => ({ key: 'crash', fence: Number(fence), signal: AbortSignal.timeout(60_000) });
process.stdout.write('ready\n');
for (let round = 0; round < 1000; round += 1) {
  const specs = ['process', 'container', 'nft'].map((environment, i) => ({
    id: `crash-${round}-${environment}`,
    service: 'svc-crash',
    path: environment,
    index: i,
    host: 'h1',
    execution: {
      environment: environment as 'process',
      image: 'host:',
      command: ['sleep', '1000'],
      ...(environment === 'nft' ? { program: 'table ip f { }' } : {}),
    },
    cpu: 0.1,
    memoryMiB: 64,
    storageMiB: 1,
    ports: [{ id: `port-${round}-${i}`, name: 'eth0', network: 'net-red', serviceAddresses: [] }],
    facts: {},
  }));
  await site.ensureUnits(specs, call());
  await site.removeUnits(
    specs.map((spec) => spec.id),
    call(),
  );
}
