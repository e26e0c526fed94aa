import type { Handlers } from '@superfluidity/api';
import type { DriverKind } from '@superfluidity/site';

export interface SystemFacts {
  readonly version: string;
  readonly executor: string;
  readonly database: string;
  readonly kinds: readonly DriverKind[];
  readonly formats: readonly string[];
}

/** What belongs to no room: whether the server is up, and what it is. */
export function systemHandlers({
  version,
  executor,
  database,
  kinds,
  formats,
}: SystemFacts): Handlers<'getHealth' | 'getSystem'> {
  return {
    getHealth: async () => ({ status: 'ok' }),
    async getSystem() {
      const siteKinds = await Promise.all(
        kinds.map(async ({ kind, configSchema, missing }) => {
          const lacking = await missing();
          const usable = !lacking.some((one) => one.required);
          return { kind, usable, missing: lacking.map((one) => ({ ...one })), configSchema: { ...configSchema } };
        }),
      );
      return { name: 'superfluidity', version, executor, database, formats: [...formats], siteKinds };
    },
  };
}
