import type { PoolClass } from '@superfluidity/site';
import type { PlannedUnit } from './actions.ts';

/** What is kept ready at a site for units of which more may be wanted. */
export function poolClasses(units: readonly PlannedUnit[]): readonly PoolClass[] {
  const firstOfEach = new Map<string, PlannedUnit>();
  for (const unit of units) {
    const key = `${unit.spec.path} ${unit.spec.host}`;
    if ((unit.spec.execution.pool ?? 0) > 0 && !firstOfEach.has(key)) firstOfEach.set(key, unit);
  }
  return [...firstOfEach.values()].map(({ spec }) => {
    const { id: _id, index: _index, facts: _facts, ports, ...rest } = spec;
    const template = { ...rest, ports: ports.map(({ id: _port, address: _address, mac: _mac, ...port }) => port) };
    return { template, size: spec.execution.pool ?? 0 };
  });
}
