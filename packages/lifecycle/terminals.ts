import type { Unit } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { SiteDriver, Terminal, TerminalOffer, TerminalWish } from '@superfluidity/site';
import type { FindUnit } from './find-unit.ts';
import type { Sites } from './sites.ts';

/** Terminals in the units of services, wherever they are. Who may open one is asked elsewhere. */
export interface Terminals {
  offer(service: string, unit: string): Promise<{ readonly unit: Unit; readonly offer: TerminalOffer }>;
  open(service: string, unit: string, wish: TerminalWish, signal: AbortSignal): Promise<OpenTerminal>;
}

export interface OpenTerminal {
  readonly unit: Unit;
  readonly offer: Exclude<TerminalOffer, { absent: string }>;
  readonly terminal: Terminal;
}

export function createTerminals(sites: Pick<Sites, 'driver'>, findUnit: FindUnit): Terminals {
  const offerOf = async (driver: SiteDriver, unit: Unit): Promise<TerminalOffer> =>
    driver.terminals === undefined
      ? { absent: `sites of kind ${driver.kind} have no terminals` }
      : driver.terminals.offer(unit.id);

  return {
    async offer(service, name) {
      const unit = await findUnit(service, name);
      return { unit, offer: await offerOf(await sites.driver(unit.site), unit) };
    },
    async open(service, name, wish, signal) {
      const doing = `open a terminal in ${name}`;
      const unit = await findUnit(service, name);
      const driver = await sites.driver(unit.site);
      const offer = await offerOf(driver, unit);
      if ('absent' in offer) throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing, reason: offer.absent });
      return { unit, offer, terminal: await driver.terminals!.open(unit.id, wish, signal) };
    },
  };
}
