import { join } from 'node:path';
import { newId, SuperfluidityError } from '@superfluidity/core';
import type { Scope } from '@superfluidity/router';
import type { Terminal, TerminalOffer, TerminalWish, UnitTerminals } from '@superfluidity/site';
import { killCgroup, listSubgroups } from './kernel/cgroup.ts';
import { openProgram } from './terminal-program.ts';
import { openSerial } from './terminal-serial.ts';
import type { SlotRecord } from './slots.ts';
import { endOf, processSurroundings, unitCgroup, type WorkloadContext } from './workload.ts';

/** Sessions that are open in a site at a time. Each may hold a runtime of some 10 MB. */
const SESSIONS_MAX = 64;
/** How often it is looked whether a unit still runs. */
const LOOK_MS = 250;
/** Begins the names of the cgroups of sessions, inside of that of their unit. */
const PREFIX = 'terminal-';
const SHELL = ['sh'] as const;
const TERM = 'xterm-256color';

export interface TerminalPlace {
  readonly record: SlotRecord;
  readonly context: WorkloadContext;
}

/** Interactive sessions in the units of a site. Each program has a cgroup of its own, by which all of it is found. */
export class Terminals implements UnitTerminals {
  readonly #scope: Scope;
  readonly #find: (unitId: string) => TerminalPlace;
  readonly #open = new Set<{ readonly slotId: string; readonly terminal: Terminal }>();
  /** Serial consoles that somebody has, by slot. */
  readonly #serial = new Set<string>();
  #opening = 0;

  constructor(scope: Scope, find: (unitId: string) => TerminalPlace) {
    this.#scope = scope;
    this.#find = find;
  }

  async offer(id: string): Promise<TerminalOffer> {
    return offerOf(this.#find(id));
  }

  async open(id: string, wish: TerminalWish, signal: AbortSignal): Promise<Terminal> {
    const doing = `open a terminal in unit ${id}`;
    const place = this.#find(id);
    const offer = offerOf(place);
    if ('absent' in offer) throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing, reason: offer.absent });
    if (wish.command !== undefined && !offer.commands) {
      const reason = 'a serial console runs no command of its own';
      throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing, reason, hint: 'Leave the command out.' });
    }
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    if (this.#open.size + this.#opening >= SESSIONS_MAX) {
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing,
        reason: `${SESSIONS_MAX} terminals are open in the site`,
      });
    }
    this.#opening += 1;
    try {
      return this.#watched(place, await this.#begin(doing, place, wish), signal);
    } finally {
      this.#opening -= 1;
    }
  }

  #begin(doing: string, { record, context }: TerminalPlace, wish: TerminalWish): Promise<Terminal> {
    const { slot, workload } = record;
    if (workload?.environment === 'vm') return this.#beginSerial(doing, slot.id, context.folder);
    const group = `${unitCgroup(this.#scope, slot.id)}/${PREFIX}${newId('unit').slice('unit-'.length)}`;
    const command = wish.command ?? SHELL;
    if (workload?.container !== undefined) {
      const container = { root: join(this.#scope.folder, 'runc'), id: workload.container, env: { TERM } };
      return openProgram({ doing, group, size: wish, command, container });
    }
    const { env, ...surroundings } = processSurroundings(context);
    return openProgram({ doing, group, size: wish, command, process: { ...surroundings, env: { ...env, TERM } } });
  }

  async #beginSerial(doing: string, slotId: string, folder: string): Promise<Terminal> {
    if (this.#serial.has(slotId)) {
      throw new SuperfluidityError('SF-SITE-TERMINAL-BUSY', { doing, reason: 'somebody has its serial console' });
    }
    this.#serial.add(slotId);
    try {
      const terminal = await openSerial(doing, join(folder, 'console.sock'));
      void terminal.ended.then(() => this.#serial.delete(slotId));
      return terminal;
    } catch (error) {
      this.#serial.delete(slotId);
      throw error;
    }
  }

  /** Ends it with its unit, and when it is told to. */
  #watched({ record }: TerminalPlace, terminal: Terminal, signal: AbortSignal): Terminal {
    const { slot, workload } = record;
    const entry = { slotId: slot.id, terminal };
    this.#open.add(entry);
    const close = () => void terminal.close();
    const timer = setInterval(() => {
      if (endOf({ slot }, workload!) !== undefined) close();
    }, LOOK_MS);
    timer.unref();
    signal.addEventListener('abort', close, { once: true });
    void terminal.ended.then(() => {
      clearInterval(timer);
      signal.removeEventListener('abort', close);
      this.#open.delete(entry);
    });
    if (signal.aborted) close();
    return terminal;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(({ terminal }) => terminal.close()));
  }
}

function offerOf({ record }: TerminalPlace): TerminalOffer {
  const { unit, workload, slot } = record;
  const { environment } = record.template.execution;
  if (environment === 'nft') {
    return { absent: 'a packet function is a set of rules in the kernel: no program runs there that could answer' };
  }
  const runs = unit?.state === 'running' || unit?.state === 'draining';
  if (!runs || workload?.process === undefined) return { absent: `the unit is ${unit?.state ?? 'not started'}` };
  const end = endOf({ slot }, workload);
  if (end !== undefined) return { absent: `the unit has ended: ${end}` };
  return environment === 'vm'
    ? { kind: 'serial', resizes: false, commands: false }
    : { kind: 'program', resizes: true, commands: true };
}

/**
 * Ends sessions whose control plane was killed. The kernel has hung up their terminals then, so this is for programs
 * that do not care.
 */
export async function clearTerminals(scope: Scope, slotIds: readonly string[]): Promise<void> {
  for (const slotId of slotIds) {
    const unit = unitCgroup(scope, slotId);
    for (const name of listSubgroups(unit)) if (name.startsWith(PREFIX)) await killCgroup(`${unit}/${name}`);
  }
}
