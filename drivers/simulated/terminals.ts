import { SuperfluidityError } from '@superfluidity/core';
import type { SiteEvent, Terminal, TerminalOffer, TerminalWish, UnitTerminals } from '@superfluidity/site';
import { limits } from './config.ts';
import type { SharedSite } from './shared-site.ts';
import type { UnitRecord } from './state.ts';
import { SimulatedTerminal } from './terminal.ts';

/** Terminals that talk to the driver, with the life of real ones: they end with their unit, and are bounded. */
export class SimulatedTerminals implements UnitTerminals {
  readonly #site: string;
  readonly #shared: SharedSite;
  readonly #open = new Set<SimulatedTerminal>();

  constructor(site: string, shared: SharedSite) {
    this.#site = site;
    this.#shared = shared;
  }

  async offer(id: string): Promise<TerminalOffer> {
    return offerOf(this.#unit(id));
  }

  async open(id: string, wish: TerminalWish, signal: AbortSignal): Promise<Terminal> {
    const doing = `open a terminal in ${id} on ${this.#site}`;
    const unit = this.#unit(id);
    const offer = offerOf(unit);
    if ('absent' in offer) throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing, reason: offer.absent });
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    if (this.#open.size >= limits.terminals) {
      throw new SuperfluidityError('SF-CORE-LIMIT', { doing, reason: `${limits.terminals} terminals are open` });
    }
    const { path, index } = unit.spec;
    const { columns, rows, command } = wish;
    const terminal = new SimulatedTerminal({ site: this.#site, unit: `${path}#${index}`, columns, rows, command });
    this.#open.add(terminal);
    const close = () => void terminal.close();
    signal.addEventListener('abort', close, { once: true });
    const stop = this.#shared.listen((event: SiteEvent) => {
      const ofUnit = event.kind === 'unit' && event.unitId === id;
      if (ofUnit && (event.state === 'failed' || event.state === 'stopped')) void terminal.close('the unit ended');
    });
    void terminal.ended.then(() => {
      stop();
      signal.removeEventListener('abort', close);
      this.#open.delete(terminal);
    });
    return terminal;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((terminal) => terminal.close()));
  }

  #unit(id: string): UnitRecord {
    this.#shared.refresh();
    const unit = this.#shared.state.units.get(id);
    if (unit !== undefined) return unit;
    throw new SuperfluidityError('SF-SITE-UNIT-UNKNOWN', { reason: `there is no unit ${id} on ${this.#site}` });
  }
}

function offerOf({ spec, state }: UnitRecord): TerminalOffer {
  if (spec.execution.environment === 'nft') {
    return { absent: 'a packet function is a set of rules in the kernel: no program runs there that could answer' };
  }
  if (state !== 'running' && state !== 'draining') return { absent: `the unit is ${state}` };
  return { kind: 'simulated', resizes: true, commands: true };
}
