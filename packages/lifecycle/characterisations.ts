import type { CallReply, CharacterisationReport, CharacterisationSummary } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { toJson } from '@superfluidity/store';
import type { LifecycleOptions } from './options.ts';

/** Reports of experiments with services: kept as they were published, by name. */
export interface Characterisations {
  show(name: string): Promise<CallReply<'getCharacterisation'>>;
  put(name: string, report: CharacterisationReport): Promise<CharacterisationSummary>;
  remove(name: string): Promise<void>;
}

export const summaryColumns = ['name', 'service', 'experiments', 'samples', 'accuracy', 'updated_at'] as const;

export function characterisationSummary(row: {
  readonly name: string;
  readonly service: string;
  readonly experiments: number;
  readonly samples: number;
  readonly accuracy: number;
  readonly updated_at: number;
}): CharacterisationSummary {
  const { name, service, experiments, samples, accuracy, updated_at: updatedAt } = row;
  return { name, service, experiments, samples, accuracy, updatedAt };
}

export function createCharacterisations({
  store: { db },
  clock,
  events,
  limits,
}: Pick<LifecycleOptions, 'store' | 'clock' | 'events' | 'limits'>): Characterisations {
  const unknown = (name: string) =>
    new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
      reason: `there is no characterisation '${name}'`,
      hint: 'Publish one with `superfluidity characterise publish`.',
    });
  const tell = (subject: string, message: string) =>
    events.append({ kind: 'characterisation', subject, severity: 'info', message, body: {} });
  return {
    async show(name) {
      const row = await db.selectFrom('characterisation').selectAll().where('name', '=', name).executeTakeFirst();
      if (row === undefined) throw unknown(name);
      return { ...(row.report as unknown as CharacterisationReport), name, updatedAt: row.updated_at };
    },

    async put(name, report) {
      const { service, experiments, samples, accuracy } = report;
      const now = clock.now();
      const kept = await db.transaction().execute(async (trx) => {
        const { count } = await trx
          .selectFrom('characterisation')
          .select(({ fn }) => fn.countAll<string | number>().as('count'))
          .where('name', '<>', name)
          .executeTakeFirstOrThrow();
        if (Number(count) >= limits.characterisations) {
          throw new SuperfluidityError('SF-CORE-LIMIT', {
            doing: `keep the characterisation ${name}`,
            reason: `there are ${limits.characterisations} already`,
            hint: 'Delete one that nobody needs.',
          });
        }
        const values = { service, experiments, samples, accuracy, report: toJson(report), updated_at: now };
        const row = await trx
          .insertInto('characterisation')
          .values({ name, created_at: now, ...values } as never)
          .onConflict((at) => at.column('name').doUpdateSet(values as never))
          .returning(summaryColumns)
          .executeTakeFirstOrThrow();
        return characterisationSummary(row);
      });
      tell(name, `characterisation ${name} was published`);
      return kept;
    },

    async remove(name) {
      const { numDeletedRows } = await db.deleteFrom('characterisation').where('name', '=', name).executeTakeFirst();
      if (Number(numDeletedRows) === 0) throw unknown(name);
      tell(name, `characterisation ${name} was deleted`);
    },
  };
}
