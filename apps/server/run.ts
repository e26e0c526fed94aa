import { isSuperfluidityError, reportError } from '@superfluidity/core';
import { destination, pino } from 'pino';
import { limits } from './limits.ts';
import { openBrowser } from './open-browser.ts';
import { parseServerArgs, type ServerOptions, usage } from './options.ts';
import type { RunningServer } from './server.ts';

const secretPaths = ['authorization', 'secret', 'token', 'password'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

async function main(): Promise<void> {
  const options = parseServerArgs(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  const log = pino({ level: options.logLevel, redact: secretPaths }, destination({ fd: 2, sync: true }));
  // Loaded now: help, and options that are wrong, need none of it.
  const { startServer } = await import('./server.ts');
  const server = await startServer(options, log);
  stopOnSignals(server);
  announce(server, options);
  await tellFirstPassword(server);
  server.warm();
  if (options.demo) {
    try {
      const [{ setUpDemo }, { driverKinds }] = await Promise.all([import('./demo.ts'), import('./kinds.ts')]);
      await setUpDemo(server, driverKinds, log);
    } catch (error) {
      // The control plane is of use without it, and the page shows what went wrong with an operation.
      printError('the demo could not be set up', error);
    }
  }
}

function announce({ url, adminToken }: RunningServer, options: ServerOptions): void {
  const ms = Math.round(performance.now());
  // The token follows the hash sign: browsers send that part of an address nowhere.
  const page = `${url}/#token=${adminToken}`;
  const secretIsWelcome = options.demo || process.stdout.isTTY;
  process.stdout.write(
    `Superfluidity is ready after ${ms} ms\n  console  ${secretIsWelcome ? page : url}\n  state    ${options.state}\n`,
  );
  if (options.demo && options.open) openBrowser(page);
}

/** To a person at a terminal only, never into a log: elsewhere `superfluidity user password` sets one. */
async function tellFirstPassword({ firstPassword }: RunningServer): Promise<void> {
  if (!process.stdout.isTTY) return;
  const first = await firstPassword();
  if (first === undefined) return;
  process.stdout.write(`  sign in  as ${first.name} with the password ${first.password} (it is shown this once)\n`);
}

/** The first signal stops the server in good order, the second one at once. */
function stopOnSignals(server: RunningServer): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(130);
    stopping = true;
    setTimeout(() => {
      process.stderr.write(`still not stopped after ${limits.shutdownMs / 1_000} s: ending the process\n`);
      process.exit(1);
    }, limits.shutdownMs).unref();
    await server.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stop().catch((error: unknown) => {
        printError('the server did not stop cleanly', error);
        process.exit(1);
      });
    });
  }
}

function printError(what: string, error: unknown): void {
  const { code, message, hint, cause } = reportError(error);
  process.stderr.write(`${what}: ${code}: ${message}\n`);
  if (cause !== undefined) process.stderr.write(`  because ${cause.code}: ${cause.message}\n`);
  if (hint !== undefined) process.stderr.write(`  ${hint}\n`);
}

try {
  await main();
} catch (error) {
  printError('the server did not start', error);
  process.exit(isSuperfluidityError(error, 'SF-SERVER-OPTION') ? 2 : 1);
}
