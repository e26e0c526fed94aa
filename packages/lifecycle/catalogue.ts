import { createHash } from 'node:crypto';
import type { CallReply, CheckResult, Descriptor, DescriptorSource } from '@superfluidity/api';
import { newId, SuperfluidityError } from '@superfluidity/core';
import { formats, type Input, inputsOf, type InputValues, readDescriptor } from '@superfluidity/dialects';
import type { Service } from '@superfluidity/model';
import { type Database, databaseCode, toJson } from '@superfluidity/store';
import { type Selectable, sql } from 'kysely';
import type { LifecycleOptions } from './options.ts';
import type { Verification } from './verification.ts';

/** Descriptors that were read, checked and kept. States as in ETSI GS NFV-SOL 005, clauses 5.5.4 and 9.5.4. */
export interface Catalogue {
  check(source: DescriptorSource): Promise<CheckResult>;
  /** The descriptor behind a source: found in the catalogue, or read from the files. */
  resolve(source: DescriptorSource, inputs?: InputValues): Promise<ResolvedDescriptor>;
  /** What it asks for when it is deployed. */
  inputs(source: DescriptorSource): Promise<readonly Input[]>;
  /** The one that a service was made from. As long as there is the service, it is neither removed nor changed. */
  inUse(id: string): Promise<ResolvedDescriptor>;
  /**
   * Keeps it, if it is not there yet. The same text again is the same entry. Whoever says which version was the newest
   * that he knows, or `none`, is refused when there is a newer one of that name: two writers do not overwrite each other.
   */
  onboard(descriptor: ResolvedDescriptor, after?: string): Promise<Descriptor>;
  show(idOrName: string): Promise<CallReply<'getDescriptor'>>;
  setState(id: string, state: 'ENABLED' | 'DISABLED'): Promise<Descriptor>;
  remove(id: string): Promise<void>;
}

/** What the catalogue can read. */
export const descriptorFormats: readonly string[] = formats;

export interface ResolvedDescriptor {
  /** Present when it came from the catalogue. */
  readonly id?: string;
  readonly service: Service;
  readonly format: string;
  readonly source: string;
  /** Of a tree of files all of them, that of the source first. */
  readonly files?: Given['files'];
  /** Name of the file that the source is the text of. */
  readonly file?: string;
  readonly baseFolder?: string;
  /** What it asks for when it is deployed, of the files that were read. Absent: it is not known where it comes from. */
  readonly declared?: () => readonly Input[];
}

type Row = Selectable<Database['descriptor']>;
type Given = Exclude<DescriptorSource, { descriptor: string }>;

/** Descriptors in use that are kept in memory: they are large, and every operation needs one. */
const IN_USE_MAX = 64;

/** `SFDE` in ASCII: with the hash of a name, the advisory lock of whoever adds a version of it. */
const NAME_LOCK = 0x53464445;

export function createCatalogue({ store, clock, events }: LifecycleOptions, verification: Verification): Catalogue {
  const { db } = store;
  const inUse = new Map<string, ResolvedDescriptor>();

  async function find(idOrName: string): Promise<Row> {
    const rows = await db
      .selectFrom('descriptor')
      .selectAll()
      .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
      .orderBy('created_at', 'desc')
      .limit(1)
      .execute();
    if (rows[0] !== undefined) return rows[0];
    throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', { reason: `there is no descriptor '${idOrName}'` });
  }

  const filesOf = ({ files }: Given) =>
    files.map((file) => ({ path: file.path, bytes: Buffer.from(file.base64, 'base64') }));
  /** An entry as it was given: a template is read anew with other inputs. */
  async function given(source: DescriptorSource): Promise<Given> {
    return 'descriptor' in source ? givenAs(await find(source.descriptor)) : source;
  }

  async function proof(
    descriptor: Parameters<Verification['described']>[0],
  ): Promise<Pick<CheckResult, 'verification'>> {
    const report = await verification.described(descriptor);
    return report === undefined ? {} : { verification: report };
  }

  function announce(row: Row, message: string): void {
    events.append({ kind: 'descriptor', subject: row.id, severity: 'info', message, body: { name: row.name } });
  }

  return {
    async check(source) {
      if ('descriptor' in source) {
        const row = await find(source.descriptor);
        return { ok: true, name: row.name, format: row.source_format, problems: [], ...(await proof(resolved(row))) };
      }
      const { service, problems, format = 'unknown' } = readDescriptor(filesOf(source));
      const found = { ok: service !== undefined, format, problems: problems.map(mutableProblem) };
      if (service === undefined) return found;
      const [file] = source.files as [(typeof source.files)[0]];
      const text = { source: Buffer.from(file.base64, 'base64').toString(), file: file.path };
      return { ...found, name: service.block.name, ...(await proof({ service, ...text })) };
    },

    async inUse(id) {
      const known = inUse.get(id) ?? resolved(await find(id));
      inUse.delete(id);
      inUse.set(id, known);
      for (const [oldest] of inUse) if (inUse.size > IN_USE_MAX) inUse.delete(oldest);
      return known;
    },

    inputs: async (source) => inputsOf(filesOf(await given(source))),

    async resolve(asked, inputs) {
      if ('descriptor' in asked && inputs === undefined) {
        const row = await find(asked.descriptor);
        return { ...resolved(row), declared: () => inputsOf(filesOf(givenAs(row))) };
      }
      const source = await given(asked);
      // The same files for both: what was read of them is known by them.
      const files = filesOf(source);
      const { service, problems, format = 'unknown' } = readDescriptor(files, inputs);
      if (service === undefined) {
        const first = problems.find((problem) => problem.severity === 'error');
        const where = first?.position === undefined ? '' : ` at ${first.position.line}:${first.position.column}`;
        throw new SuperfluidityError('SF-LIFECYCLE-DESCRIPTOR', {
          doing: `read ${source.files[0]!.path}`,
          reason: `${first?.message ?? 'nothing that can be deployed'}${where}`,
          data: { problems },
        });
      }
      return {
        service,
        format,
        source: Buffer.from(source.files[0]!.base64, 'base64').toString(),
        file: source.files[0]!.path,
        ...(source.files.length === 1 ? {} : { files: source.files }),
        ...(source.baseFolder === undefined ? {} : { baseFolder: source.baseFolder }),
        declared: () => inputsOf(files),
      };
    },

    async onboard(descriptor, after) {
      if (descriptor.id !== undefined) return descriptorView(await find(descriptor.id));
      const now = clock.now();
      const { service, source, baseFolder, files } = descriptor;
      const { name } = service.block;
      // Two texts under one name and version are two entries: the text's digest tells them apart.
      const digest = createHash('sha256')
        .update(JSON.stringify(service))
        .update(baseFolder ?? '')
        .digest('hex')
        .slice(0, 12);
      const version = `${service.version}+${digest}`;
      const { row, isNew } = await db.transaction().execute(async (transaction) => {
        // One writer of a name at a time, on whichever server: what is the newest version does not change meanwhile.
        await sql`select pg_advisory_xact_lock(${NAME_LOCK}, hashtext(${name}))`.execute(transaction);
        const versions = transaction.selectFrom('descriptor').selectAll().where('name', '=', name);
        const known = await versions.where('version', '=', version).executeTakeFirst();
        if (known !== undefined) return { row: known, isNew: false };
        const newest = await versions.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst();
        if (after !== undefined && after !== (newest?.id ?? 'none')) throw changed(name, newest);
        const added = await transaction
          .insertInto('descriptor')
          .values({
            id: newId('desc', now),
            name,
            version,
            onboarding_state: 'ONBOARDED',
            operational_state: 'ENABLED',
            usage_state: 'NOT_IN_USE',
            source,
            source_format: descriptor.format,
            base_folder: baseFolder ?? null,
            files: files === undefined ? null : (toJson(files) as never),
            service: toJson(service) as never,
            // Later than the one before, be it in the same millisecond: the newest is that which was saved last.
            created_at: Math.max(now, (newest?.created_at ?? 0) + 1),
            updated_at: now,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return { row: added, isNew: true };
      });
      if (isNew) announce(row, `descriptor ${row.name} ${row.version} onboarded`);
      return descriptorView(row);
    },

    async show(idOrName) {
      const row = await find(idOrName);
      const files = filesIn(row);
      return { ...descriptorView(row), source: row.source, ...(files === undefined ? {} : { files }) };
    },

    async setState(id, state) {
      const row = await find(id);
      await db
        .updateTable('descriptor')
        .set({ operational_state: state, updated_at: clock.now() })
        .where('id', '=', row.id)
        .execute();
      announce(row, `descriptor ${row.name} ${state.toLowerCase()}`);
      return descriptorView({ ...row, operational_state: state });
    },

    async remove(id) {
      const row = await find(id);
      const refuse = (reason: string) =>
        new SuperfluidityError('SF-LIFECYCLE-IN-USE', {
          doing: `delete descriptor ${row.name}`,
          reason,
          hint: 'Terminate the services made from it and disable it: `superfluidity descriptor disable`.',
        });
      if (row.operational_state === 'ENABLED') throw refuse('it is enabled');
      const needed = await db
        .selectFrom('operation')
        .select('service')
        .where('kind', '=', 'UPDATE')
        .where('state', 'in', ['STARTING', 'PROCESSING', 'FAILED_TEMP', 'ROLLING_BACK'])
        .where(sql<string>`params ->> 'before'`, '=', row.id)
        .executeTakeFirst();
      if (needed !== undefined) throw refuse(`an update of ${needed.service} may be rolled back to it`);
      try {
        await db.deleteFrom('descriptor').where('id', '=', row.id).execute();
      } catch (error) {
        // 23503: foreign_key_violation, a service was made from it.
        if (databaseCode(error) === '23503') throw refuse('a service was made from it');
        throw error;
      }
      announce(row, `descriptor ${row.name} deleted`);
    },
  };
}

function changed(name: string, newest: Row | undefined): SuperfluidityError {
  const is = newest === undefined ? 'there is none any more' : `the newest is ${newest.version} (${newest.id})`;
  return new SuperfluidityError('SF-LIFECYCLE-CHANGED', {
    doing: `save a version of ${name}`,
    reason: is,
    ...(newest === undefined ? {} : { data: { newest: newest.id } }),
  });
}

const filesIn = ({ files }: Row) => (files ?? undefined) as Given['files'] | undefined;

function givenAs(row: Row): Given {
  const base64 = Buffer.from(row.source).toString('base64');
  const base = row.base_folder === null ? {} : { baseFolder: row.base_folder };
  return { files: filesIn(row) ?? [{ path: `${row.name}.yaml`, base64 }], ...base };
}

function resolved(row: Row): ResolvedDescriptor {
  return {
    id: row.id,
    service: row.service as unknown as Service,
    format: row.source_format,
    source: row.source,
    file: filesIn(row)?.[0]?.path ?? `${row.name}.yaml`,
    ...(row.base_folder === null ? {} : { baseFolder: row.base_folder }),
  };
}

export function descriptorView(row: Row): Descriptor {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    format: row.source_format,
    onboardingState: row.onboarding_state,
    operationalState: row.operational_state,
    usageState: row.usage_state,
    createdAt: row.created_at,
  };
}

function mutableProblem(
  problem: ReturnType<typeof readDescriptor>['problems'][number],
): CheckResult['problems'][number] {
  const { position, ...rest } = problem;
  return { ...rest, ...(position === undefined ? {} : { position: { ...position } }) };
}
