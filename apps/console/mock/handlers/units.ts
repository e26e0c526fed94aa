import { type ListedUnit, type Unit, listShapes, pageOf } from '@superfluidity/api';
import type { Handlers } from '../handlers.ts';
import type { Look } from '../look.ts';
import { LOOK_MS, pastUsageOf, usageOf } from '../metrics.ts';
import { found } from '../refusal.ts';
import { terminalView } from '../terminal-view.ts';
import type { World } from '../world.ts';

/** Units of services: what they print, use, and offer. */
export function unitHandlers(
  world: World,
  { service }: Look,
): Pick<Handlers, 'listUnits' | 'readUnitOutput' | 'readUnitMetrics' | 'getUnitUsage' | 'getTerminal'> {
  return {
    listUnits: ({ query }) => pageOf(listedUnits(world), query as never, listShapes.units),
    readUnitOutput: ({ params, query }) => {
      const lines = world.output.get(params['unit']!) ?? [
        'ready',
        'listening on 0.0.0.0:8000',
        'GET /segment-1.ts 200',
      ];
      const from = Number(query['offset']);
      const next = Math.min(lines.length, from + LINES_PER_READ);
      return { lines: lines.slice(from, next), next };
    },
    readUnitMetrics: ({ params, query }) => {
      const names = query['unit'] as readonly string[] | undefined;
      const named = (unit: Unit) =>
        names === undefined || names.some((name) => [unit.id, `${unit.path}#${unit.index}`, unit.path].includes(name));
      const chosen = service(params['name']).units.filter(named);
      return chosen.slice(0, Number(query['limit'])).map((unit) => usageOf(unit, Date.now()));
    },
    getUnitUsage: ({ params }) => {
      const one = found(
        service(params['name']).units.find(({ id }) => id === params['unit']),
        'SF-SITE-UNIT-UNKNOWN',
        `there is no unit ${params['unit']}`,
      );
      return { unit: one.id, everyMs: LOOK_MS, readings: pastUsageOf(one, Date.now()) };
    },
    getTerminal: ({ params, principal }) => {
      const { id, kind, reason } = terminalView(world, params['name']!, params['unit']!);
      const why = reason ?? (principal.role === 'admin' ? undefined : `${principal.name} may only read`);
      if (why !== undefined) return { unit: id, possible: false, reason: why };
      return { unit: id, possible: true, kind, resizes: kind !== 'serial', commands: kind !== 'serial' };
    },
  };
}

/** As of a site, whose answers are bounded too. */
const LINES_PER_READ = 10_000;
/** All units of all services, as lists show them. */
export function listedUnits(world: World): ListedUnit[] {
  return [...world.services.values()].flatMap((one) =>
    one.units.map(({ ports: _ports, telemetry: _telemetry, ...unit }) => ({
      ...unit,
      service: one.name,
      updatedAt: one.createdAt,
    })),
  );
}
