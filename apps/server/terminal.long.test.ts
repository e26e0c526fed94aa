import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pty, spawnProgram } from '@superfluidity/driver-linux/terminal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxSites, type LinuxWorld, whyNoLinuxSites } from './testing/linux-world.ts';
import { completed, sourceOf, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

const why = await whyNoLinuxSites();
const CLI = fileURLToPath(new URL('../cli/bin/superfluidity.js', import.meta.url));

const service = `
superfluidity: 1
service:
  name: desk
  version: '1'
  networks:
    - {name: lan, prefix: 10.61.0.0/16}
  functions:
    - name: box
      environment: container
      image: 'host:'
      command: [sleep, '100000']
      ports: [lan]
      requirements: {cpu: 0.2, location: {sites: [core]}}
    - name: filter
      environment: nft
      program: 'table inet filter { }'
      forwards: true
      ports: [lan]
      requirements: {cpu: 0.1, location: {sites: [core]}}
`;

/** How many processes have this command line. */
async function running(words: string): Promise<number> {
  const lines = await Promise.all(
    (await readdir('/proc'))
      .filter((pid) => /^\d+$/.test(pid))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
  );
  return lines.filter((line) => line.replaceAll('\0', ' ').trim() === words).length;
}

describe.skipIf(why !== undefined)(
  `the command at a terminal${why === undefined ? '' : ` (skipped: ${why})`}`,
  { timeout: 90_000 },
  () => {
    let folder: string;
    let server: ServerProcess;
    let world: LinuxWorld;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'superfluidity-terminal-'));
      server = await startServerProcess({ state: join(folder, 'state') });
      world = await linuxSites(server.client);
      const { operation } = await server.client.call('deployService', { body: { source: sourceOf(service) } });
      await completed(server.client, operation);
    }, 90_000);
    afterAll(async () => {
      await server?.stop();
      await world?.purge();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    /** The command with a terminal of its own, as a person has it. */
    const command = (...args: string[]) => {
      const pty = new Pty({ columns: 91, rows: 33 });
      const child = spawnProgram(
        [process.execPath, CLI, '--server', server.url, 'service', 'terminal', 'desk', ...args],
        {
          files: { terminal: pty.path },
          env: { ...process.env, SUPERFLUIDITY_TOKEN: server.token },
        },
      );
      const ended = child.ended(undefined, 50);
      let seen = '';
      void (async () => {
        for await (const piece of pty.output()) seen += piece.toString().replaceAll('\r', '');
      })();
      const shows = (what: RegExp) => until(`${what} in ${seen}`, async () => what.exec(seen)?.[0], 20_000);
      return { type: (text: string) => pty.write(Buffer.from(text)), resize: pty.resize.bind(pty), shows, ended };
    };

    test('is a terminal of the unit: size, keys, exit code; and who it was is written down', async () => {
      const one = command('box');
      await one.shows(/Ctrl-\] leaves it[^]*# $/);
      await one.type('tty; stty size\n');
      await one.shows(/^\/dev\/pts\/\d+\n33 91$/m);
      one.resize({ columns: 120, rows: 40 });
      await one.type('until [ "$(stty size)" = "40 120" ]; do sleep 0.05; done; echo resized\n');
      await one.shows(/^resized$/m);
      await one.type('sleep 7441\n');
      await until('it sleeps', async () => ((await running('sleep 7441')) === 1 ? true : undefined));
      await one.type('\u0003');
      await one.shows(/\^C/);
      await one.type('exit 5\n');
      expect(await one.ended).toEqual({ code: 5, signal: null });

      const left = command('box');
      await left.shows(/# $/);
      await left.type('\u001d');
      expect(await left.ended).toEqual({ code: 0, signal: null });

      const told = await until('four entries', async () => {
        const { items } = await server.client.call('listEvents', { query: { kind: 'audit', search: 'terminal' } });
        return items.length >= 4 ? items.map(({ message }) => message) : undefined;
      });
      expect(told.toReversed()).toEqual([
        expect.stringMatching(/: open terminal in box\/box#0 of desk$/),
        expect.stringMatching(/: close terminal in box\/box#0 of desk after \d+ s: exit code 5$/),
        expect.stringMatching(/: open terminal in box\/box#0 of desk$/),
        expect.stringMatching(/: close terminal in box\/box#0 of desk after \d+ s: the connection was closed$/),
      ]);
    });

    test('runs a command, and says why there is no terminal', async () => {
      const one = command('box', '--', 'sh', '-c', 'echo "$1"; exit 3', 'x', '$HOME');
      expect(await one.ended).toEqual({ code: 3, signal: null });
      await one.shows(/^\$HOME$/m);
      const none = command('filter');
      expect((await none.ended).code).toBe(1);
      await none.shows(/a packet function is a set of rules/);
    });

    test('ends when the server is killed, and nothing is left in the unit', async () => {
      const one = command('box');
      await one.shows(/# $/);
      await one.type('nohup sleep 7442 >/dev/null 2>&1 & sleep 7443\n');
      await until('they sleep', async () =>
        (await running('sleep 7442')) + (await running('sleep 7443')) === 2 ? true : undefined,
      );
      await server.kill();
      expect((await one.ended).code).toBe(3);
      await until('the terminal is hung up', async () => ((await running('sleep 7443')) === 0 ? true : undefined));
      server = await startServerProcess({ state: join(folder, 'state') });
      await until('the rest is ended', async () => ((await running('sleep 7442')) === 0 ? true : undefined), 20_000);
    });
  },
);
