import { reportError, type ErrorReport } from '@superfluidity/core';
import type { Descriptor } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../print/table.ts';
import { readSource } from '../source.ts';

interface Imported {
  readonly input: string;
  readonly descriptor?: Descriptor;
  readonly error?: ErrorReport;
}

/** Each input is an entry of the catalogue of its own; what is refused does not hinder the others. */
export async function importAll(context: Context, inputs: readonly string[]): Promise<void> {
  // A server that is not there is said once.
  const client = await context.client();
  const results: Imported[] = [];
  for (const input of inputs) {
    try {
      const body = await readSource([input.includes('/') ? input : `./${input}`]);
      results.push({ input, descriptor: await client.call('addDescriptor', { body }) });
    } catch (error) {
      const report = reportError(error);
      if (report.code === 'SF-API-UNREACHABLE') throw error;
      results.push({ input, error: report });
    }
  }
  if (results.some(({ error }) => error !== undefined)) process.exitCode = exitCodes.failed;
  const plain = results.map(({ input, descriptor, error }) => ({
    input,
    ...(descriptor === undefined ? {} : { descriptor }),
    ...(error === undefined ? {} : { error }),
  }));
  await context.show(plain, () =>
    table(results, [
      { title: 'INPUT', value: ({ input }) => input },
      { title: 'RESULT', value: ({ error }) => (error === undefined ? 'added' : error.code) },
      { title: 'ID', value: ({ descriptor }) => descriptor?.id },
      { title: 'NAME', value: ({ descriptor }) => descriptor?.name },
      { title: 'FORMAT', value: ({ descriptor }) => descriptor?.format },
      { title: 'REASON', value: ({ error }) => error?.message },
    ]),
  );
}
