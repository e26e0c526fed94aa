import { Refusal } from './refusal.ts';
import type { World } from './world.ts';

export interface TerminalView {
  readonly id: string;
  readonly name: string;
  readonly kind: 'program' | 'serial';
  /** Why there is none. */
  readonly reason?: string;
}

/** What a terminal of a unit would be. */
export function terminalView(world: World, service: string, name: string): TerminalView {
  const units = world.services.get(service)?.units ?? [];
  const unit = units.find((one) => one.id === name || `${one.path}#${one.index}` === name);
  if (unit === undefined) throw new Refusal(404, 'SF-SITE-UNIT-UNKNOWN', `there is no unit ${name}`);
  const view = {
    id: unit.id,
    name: unit.path.replace('/', '-'),
    kind: unit.environment === 'vm' ? ('serial' as const) : ('program' as const),
  };
  if (unit.environment === 'nft') {
    return { ...view, reason: 'a packet function is a set of rules in the kernel: no program runs there' };
  }
  return unit.state === 'running' ? view : { ...view, reason: `the unit is ${unit.state}` };
}
