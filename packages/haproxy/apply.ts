import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { backendName } from './render-listener.ts';
import type { Server } from './render-pool.ts';
import { type Rendered, render, socketPath } from './render.ts';
import { tell } from './runtime.ts';
import type { ProxyTree } from './tree.ts';

/** How a process is started where its addresses are. `P` names one, also after a restart of who started it. */
export interface Launcher<P extends { readonly pid: number }> {
  /** Asks HAProxy whether it can read the file; throws what it says. */
  check(file: string): Promise<void>;
  start(args: readonly string[]): Promise<P>;
  alive(process: P): boolean;
  kill(process: P): Promise<void>;
}

const CONFIG = 'haproxy.cfg';
/** What the process was told last: the configuration without members, and these. */
const APPLIED = 'applied.json';
const READY_TIMEOUT_MS = 5_000;
const POLL_MS = 10;

export interface Applied<P> {
  readonly process: P;
  readonly how: 'nothing to do' | 'while it runs' | 'a new process';
}

/**
 * Makes the proxy of a folder do what the tree says. Members change while it runs where HAProxy can; else a new process
 * takes its listeners over, gets its tables, and the old one ends with its last connection (management guide, section 4).
 */
export async function applyTree<P extends { readonly pid: number }>(
  tree: ProxyTree,
  folder: string,
  current: P | undefined,
  launcher: Launcher<P>,
): Promise<Applied<P>> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const wanted = render(tree, folder);
  for (const [name, { content, mode }] of wanted.files) {
    if (!existsSync(join(folder, name))) write(folder, name, content, mode);
  }
  const running = current !== undefined && launcher.alive(current) ? current : undefined;
  const before = running === undefined ? undefined : read(folder);
  if (before?.skeleton === wanted.skeleton) {
    if (JSON.stringify(before.servers) === JSON.stringify(wanted.servers))
      return { process: current!, how: 'nothing to do' };
    if (await changeMembers(folder, before.servers, wanted.servers)) {
      write(folder, CONFIG, wanted.text);
      keep(folder, wanted);
      return { process: current!, how: 'while it runs' };
    }
  }
  const left = running !== undefined && launcher.alive(running) ? running : undefined;
  const process = await start(wanted, folder, left, launcher);
  return { process, how: 'a new process' };
}

type Servers = Rendered['servers'];

function read(folder: string): { readonly skeleton: string; readonly servers: Servers } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, APPLIED), 'utf8')) as { skeleton: string; servers: Servers };
  } catch {
    return undefined;
  }
}

function keep(folder: string, { skeleton, servers }: Rendered): void {
  write(folder, APPLIED, JSON.stringify({ skeleton, servers }));
}

function write(folder: string, name: string, text: string, mode = 0o600): void {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}

/** False: HAProxy does not do it to a process that runs. What was done of it does no harm, since a new one follows. */
async function changeMembers(folder: string, before: Servers, after: Servers): Promise<boolean> {
  const commands: (readonly [command: string, refused: RegExp])[] = [];
  for (const [pool, servers] of Object.entries(after)) {
    const was = new Map((before[pool] ?? []).map((server) => [server.name, server]));
    for (const server of servers) {
      const old = was.get(server.name);
      was.delete(server.name);
      const at = `${backendName(pool)}/${server.name}`;
      if (old === undefined) {
        if (server.dynamic === undefined) return false;
        for (const command of addition(at, server)) commands.push(command);
        continue;
      }
      if (old.dynamic !== server.dynamic || old.checked !== server.checked) return false;
      if (server.dynamic === undefined && withoutWeight(old) !== withoutWeight(server)) return false;
      if (old.weight !== server.weight) commands.push([`set server ${at} weight ${server.weight}`, /\S/]);
      if (old.disabled !== server.disabled)
        commands.push([`set server ${at} state ${server.disabled ? 'maint' : 'ready'}`, /\S/]);
    }
    for (const { name } of was.values()) {
      const at = `${backendName(pool)}/${name}`;
      commands.push([`set server ${at} state maint`, /\S/], [`del server ${at}`, /^(?!Server deleted)/]);
    }
  }
  for (const [command, refused] of commands) {
    const answer = (await tell(socketPath(folder), command)).trim();
    if (refused.test(answer)) return false;
  }
  return true;
}

function addition(at: string, { dynamic, weight, disabled, checked }: Server) {
  return [
    [`add server ${at} ${dynamic!} weight ${weight}`, /^(?!New server registered)/],
    ...(checked ? [[`enable health ${at}`, /\S/] as const] : []),
    ...(disabled ? [] : [[`enable server ${at}`, /\S/] as const]),
  ] as const;
}

const withoutWeight = ({ line }: Server) => line.replace(/ weight \d+/, '').replace(/ disabled$/, '');

async function start<P extends { readonly pid: number }>(
  wanted: Rendered,
  folder: string,
  before: P | undefined,
  launcher: Launcher<P>,
): Promise<P> {
  const file = join(folder, CONFIG);
  write(folder, `${CONFIG}.next`, wanted.text);
  await launcher.check(`${file}.next`);
  renameSync(`${file}.next`, file);
  // It keeps the sockets of its predecessor, so that no connection is refused in between.
  const successor = before === undefined ? [] : ['-sf', String(before.pid), '-x', socketPath(folder)];
  const process = await launcher.start(['-db', '-f', file, ...successor]);
  if (!(await answers(process, folder, launcher))) {
    await launcher.kill(process);
    throw new SuperfluidityError('SF-HAPROXY-SILENT', {
      doing: 'start the proxy of a balancer',
      reason: 'it does not answer',
      request: `haproxy -db -f ${file}`,
      answer: lastWords(folder),
    });
  }
  keep(folder, wanted);
  forgetFiles(folder, wanted);
  return process;
}

async function answers<P extends { readonly pid: number }>(
  process: P,
  folder: string,
  launcher: Launcher<P>,
): Promise<boolean> {
  for (let waited = 0; waited < READY_TIMEOUT_MS; waited += POLL_MS) {
    const pid = await tell(socketPath(folder), 'show info').then(
      (text) => Number(/^Pid: (\d+)$/m.exec(text)?.[1]),
      () => undefined,
    );
    if (pid === process.pid) return true;
    if (!launcher.alive(process)) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

export const LOG = 'haproxy.log';

function lastWords(folder: string): string {
  try {
    return readFileSync(join(folder, LOG), 'utf8').slice(-2_000);
  } catch {
    return '';
  }
}

/** Certificates and programs that are no longer used. */
function forgetFiles(folder: string, { files }: Rendered): void {
  for (const name of readdirSync(folder)) {
    if (/^[0-9a-f]{24}\.(pem|ca|crl|sh)$/.test(name) && !files.has(name)) rmSync(join(folder, name));
  }
}
