import type { Terminal, TerminalEnd, TerminalSize } from '@superfluidity/site';
import { constants as os } from 'node:os';
import type { NamespaceName } from '@superfluidity/netlink';
import { type Argv, type Child, PATH, spawnProgram } from '@superfluidity/router';
import { addToCgroup, createSubgroup, killCgroup, runcSubgroup } from './kernel/cgroup.ts';
import { Pty } from './kernel/pty.ts';

/** A program in a unit with a pseudoterminal of its own. */
export interface ProgramWish {
  readonly doing: string;
  /** Made for it, and removed with all that is in it. */
  readonly group: string;
  readonly size: TerminalSize;
  readonly command: Argv;
  /** Through the runtime, which gives it the namespaces, rights and filters of the container. */
  readonly container?: { readonly root: string; readonly id: string; readonly env: Readonly<Record<string, string>> };
  /** Beside a process of the machine. */
  readonly process?: {
    readonly namespace?: NamespaceName;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  };
}

/** How often it is asked whether a program has ended. */
const POLL_MS = 30;
const GRACE_MS = 1_000;

export async function openProgram(wish: ProgramWish): Promise<Terminal> {
  createSubgroup(wish.group);
  let pty: Pty | undefined;
  try {
    pty = new Pty(wish.size, wish.container !== undefined);
    const child = start(wish, pty.path);
    return new ProgramTerminal(wish.group, pty, child);
  } catch (error) {
    pty?.close();
    await killCgroup(wish.group);
    throw error;
  }
}

function start({ group, command, container, process: beside }: ProgramWish, terminal: string): Child {
  const files = { terminal };
  if (container !== undefined) {
    const env = Object.entries(container.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const exec = ['exec', '--tty', '--cgroup', runcSubgroup(group), ...env, container.id, ...command];
    return spawnProgram(['runc', '--root', container.root, ...exec], { files, env: { ...process.env, PATH } });
  }
  const child = spawnProgram(command, { files, ...beside! });
  addToCgroup(group, child.pid);
  return child;
}

class ProgramTerminal implements Terminal {
  readonly output: AsyncIterable<Uint8Array>;
  readonly ended: Promise<TerminalEnd>;
  readonly #pty: Pty;
  readonly #child: Child;
  readonly #group: string;
  #closed: Promise<void> | undefined;

  constructor(group: string, pty: Pty, child: Child) {
    this.#pty = pty;
    this.#child = child;
    this.#group = group;
    this.output = pty.output();
    this.ended = child.ended(undefined, POLL_MS).then(
      async ({ code, signal }) => {
        // What it left in the background would keep the terminal open.
        await killCgroup(group).catch(() => {});
        if (this.#closed !== undefined) return { reason: 'it was closed' };
        return { exitCode: code ?? 128 + os.signals[signal!] };
      },
      () => ({ reason: 'nobody knows how it ended' }),
    );
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#pty.write(bytes);
  }

  resize(size: TerminalSize): void {
    this.#pty.resize(size);
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#pty.close();
      // The runtime sees its program end, and ends itself: killed before, it would leave a zombie to the container.
      await killCgroup(this.#group).catch(() => {});
      const timer = setTimeout(() => this.#child.kill(), GRACE_MS);
      await this.ended;
      clearTimeout(timer);
    })();
    return this.#closed;
  }
}
