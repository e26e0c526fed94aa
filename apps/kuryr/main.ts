import { isSuperfluidityError, type Logger, reportError, systemClock } from '@superfluidity/core';
import { Command } from 'commander';
import { customResourceDefinitions } from './api/resources.ts';
import { cniCommand, daemonCommand } from './cni/index.ts';
import { readKuryrFile, runController } from './controller/index.ts';
import { manage } from './install/index.ts';
import { nodeCommand } from './node/index.ts';

/** The programs that run inside of a cluster: see docs/guides/kuryr.md. */
const line = (level: string) => (fields: object, text: string) =>
  void process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), text, ...fields })}\n`);
const log: Logger = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };

const program = new Command('kuryr').description('connects pods to the networks of virtual machines');

program
  .command('controller')
  .description('gives pods, services and policies what they need in the cloud or the fabric; several replicas may run')
  .requiredOption('--config <file>', 'in YAML or JSON')
  .option('--identity <name>', 'of this replica, in the lease')
  .action(async ({ config: path, identity }: { readonly config: string; readonly identity?: string }) => {
    const config = await readKuryrFile(path);
    const onListen = (port: number) => log.info({ port }, 'health and metrics are told here');
    const named = identity === undefined ? {} : { identity };
    await runController({ config, clock: systemClock, log, onListen, ...named }, untilStopped());
  });

program
  .command('resources')
  .description('prints the custom resources, as `kubectl apply -f -` takes them')
  .action(() => {
    const items = customResourceDefinitions();
    process.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`);
  });

program
  .command('manage', { hidden: true })
  .description('what `superfluidity kuryr` asks: a request on standard input, an answer on standard output, in JSON')
  .action(async () => {
    const answer = await readInput()
      .then(async (text) => ({ result: await manage(JSON.parse(text)) }))
      .catch((error: unknown) => ({ error: reportError(error) }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });

program.addCommand(daemonCommand({ log, untilStopped }));
program.addCommand(cniCommand({ log }));
program.addCommand(nodeCommand({ log }));

const REQUEST_BYTES_MAX = 1_000_000;

async function readInput(): Promise<string> {
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += piece;
    if (text.length > REQUEST_BYTES_MAX) throw new Error(`a request has more than ${REQUEST_BYTES_MAX} characters`);
  }
  return text;
}

/** Fires when the process is to end. */
function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

try {
  await program.parseAsync();
} catch (error) {
  if (isSuperfluidityError(error)) log.error({ error: reportError(error) }, error.message);
  else log.error({ error: reportError(error) }, 'failed');
  process.exitCode = 1;
}
