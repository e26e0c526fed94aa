import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isSuperfluidityError, reportError, shortName, SuperfluidityError } from '@superfluidity/core';
// It catalogues the codes of errors that are thrown here.
import '@superfluidity/lifecycle';
import type { PlaybookRequest, PlaybookRunner } from '@superfluidity/lifecycle';
import type { SecretSource, Tell } from '@superfluidity/site';
import { PlaybookFollower } from './follow.ts';
import { Secrets } from './secrets.ts';

export interface PlaybookFolder {
  /** With the playbooks that may be run. */
  readonly folder: string;
  /** For what they leave: a folder for each service, for nobody else's eyes. */
  readonly artifacts: string;
  readonly secrets: SecretSource;
  readonly now: () => number;
}

const CALLBACK = fileURLToPath(new URL('callback', import.meta.url));
const COMMAND = [process.execPath, fileURLToPath(new URL('../../cli/main.ts', import.meta.url))] as const;
const PLAYBOOK = /^(?:[a-z0-9][a-z0-9_-]*\/){0,4}[a-z0-9][a-z0-9_-]*\.ya?ml$/;
const PLAYBOOKS_MAX = 200;
const DEPTH_MAX = 3;
const STDERR_MAX = 4_000;
const LINE_MAX = 1_000_000;
const END_MS = 10_000;

/** Runs playbooks of one folder by `ansible-playbook`, each in a process group of its own. */
export function playbookRunner(options: PlaybookFolder): PlaybookRunner {
  const artifacts = (service: string) => join(options.artifacts, service);
  return {
    list: () => playbooksIn(options.folder),
    artifacts,
    async run(request, signal, tell) {
      signal.throwIfAborted();
      const secrets = new Secrets(options.secrets);
      const own = artifacts(request.service);
      await mkdir(own, { recursive: true, mode: 0o700 });
      // In memory where there is one: keys are in it.
      const work = await workFolder(own);
      try {
        const file = await within(options.folder, request.playbook);
        const argv = await argumentsOf(request, file, { work, own, secrets });
        const hidden: Tell = (line) =>
          tell(line.reason === undefined ? line : { ...line, reason: secrets.hide(line.reason) });
        const follower = new PlaybookFollower(hidden, options.now);
        const { code, stderr } = await carryOut(argv, { cwd: dirname(file), work, signal }, follower);
        signal.throwIfAborted();
        if (code === 0 && follower.outcome !== undefined)
          return JSON.parse(secrets.hide(JSON.stringify(follower.outcome)));
        const because = follower.failures.length > 0 ? follower.failures.join('; ') : stderr.trim();
        throw failed(request, secrets.hide(because || `ansible-playbook ended with ${code}`));
      } catch (error) {
        if (signal.aborted || isSuperfluidityError(error)) throw error;
        throw failed(request, secrets.hide(reportError(error).message));
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
  };
}

/** A server that was killed leaves the folder of its run, with the key: there is one run of a service at a time, so what is found is over. */
async function workFolder(own: string): Promise<string> {
  const prefix = shortName('superfluidity-playbook-', own, 40);
  const left = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  await Promise.all(left.map((name) => rm(join(tmpdir(), name), { recursive: true, force: true })));
  return mkdtemp(join(tmpdir(), `${prefix}-`));
}

function failed({ playbook, service }: PlaybookRequest, reason: string): SuperfluidityError {
  const doing = `run playbook ${playbook} over ${service}`;
  return new SuperfluidityError('SF-LIFECYCLE-PLAYBOOK-FAILED', { doing, reason: reason.slice(0, STDERR_MAX) });
}

/** Files of YAML beside a folder `roles`, or at the top: what roles and variables are made of are none. */
async function playbooksIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const isBook = depth === 0 || entries.some((entry) => entry.isDirectory() && entry.name === 'roles');
    for (const entry of entries) {
      const name = relative(folder, join(path, entry.name));
      if (entry.isFile() && isBook && PLAYBOOK.test(name) && !/^(?:hosts|derived|inventory)\b/.test(entry.name))
        found.push(name);
      if (entry.isDirectory() && depth < DEPTH_MAX && !NO_BOOKS.has(entry.name) && found.length < PLAYBOOKS_MAX)
        await visit(join(path, entry.name), depth + 1);
    }
  };
  await visit(folder, 0);
  return found.toSorted();
}

const NO_BOOKS: ReadonlySet<string> = new Set(['roles', 'group_vars', 'host_vars', 'node_modules']);

/** A link that leads out of the folder is not followed. */
async function within(folder: string, playbook: string): Promise<string> {
  const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, playbook))]);
  if (PLAYBOOK.test(playbook) && file.startsWith(`${root}/`)) return file;
  const doing = `run playbook ${playbook}`;
  throw new SuperfluidityError('SF-LIFECYCLE-PLAYBOOK', { doing, reason: 'it is not in the folder of playbooks' });
}

/** Inventory, variables and key are files that nobody else can read; the arguments name them. */
async function argumentsOf(
  request: PlaybookRequest,
  file: string,
  { work, own, secrets }: { readonly work: string; readonly own: string; readonly secrets: Secrets },
): Promise<readonly string[]> {
  const { service, inventory, vars, user = 'root', key, limit, check } = request;
  const put = async (name: string, text: string) => {
    await writeFile(join(work, name), text, { mode: 0o600 });
    return join(work, name);
  };
  const known = {
    ansible_user: user,
    ansible_ssh_common_args: `-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${own}/known_hosts`,
    artifacts: own,
    superfluidity_service: service,
    superfluidity_command: [...COMMAND],
    cluster_name: service,
  };
  const given = (await secrets.resolve(vars)) as Record<string, unknown>;
  const inventoryFile = await put('inventory.json', JSON.stringify(inventory));
  const varsFile = await put('vars.json', JSON.stringify({ ...known, ...given }));
  const keyFile = key === undefined ? undefined : await put('key', withEnd(await secrets.text(key)));
  return [
    'ansible-playbook',
    '--inventory',
    inventoryFile,
    '--extra-vars',
    `@${varsFile}`,
    ...(keyFile === undefined ? [] : ['--private-key', keyFile]),
    ...(limit === undefined ? [] : ['--limit', limit.join(',')]),
    ...(check ? ['--check'] : []),
    file,
  ];
}

/** OpenSSH takes no key whose last line has no end. */
const withEnd = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

async function carryOut(
  argv: readonly string[],
  { cwd, work, signal }: { readonly cwd: string; readonly work: string; readonly signal: AbortSignal },
  follower: PlaybookFollower,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  // A server that is killed takes its playbooks with it: whoever goes on with the operation begins them anew.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...argv], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: work,
      LANG: 'C.UTF-8',
      PYTHONDONTWRITEBYTECODE: '1',
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_LOCALHOST_WARNING: '0',
      ANSIBLE_CALLBACK_PLUGINS: CALLBACK,
      ANSIBLE_STDOUT_CALLBACK: 'superfluidity_lines',
      ANSIBLE_LOCAL_TEMP: join(work, 'ansible'),
      ANSIBLE_SSH_CONTROL_PATH_DIR: join(work, 'ssh'),
    },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_MAX)));
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', (text) => text.length <= LINE_MAX && follower.take(text));
  const stop = () => void endGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stderr };
  } finally {
    signal.removeEventListener('abort', stop);
    // Connections that are kept for the next task outlive it.
    await endGroup(child);
  }
}

async function endGroup({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined || !send(pid, 'SIGTERM')) return;
  for (const deadline = performance.now() + END_MS; performance.now() < deadline; await sleep(50))
    if (!send(pid, 0)) return;
  send(pid, 'SIGKILL');
}

/** Whether anybody of the group was there. */
function send(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
