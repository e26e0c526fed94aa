import { SuperfluidityError } from '@superfluidity/core';
import { economicsOf, readScenario, type Scenario, scenarios, sensitivity } from '@superfluidity/place/economics';
import type { Context } from '../context.ts';
import { facts, table } from '../print/table.ts';
import { bytesOf, checked, plot, usage } from './load.ts';
import { percent } from './manage.ts';

interface Options {
  readonly scenario?: keyof typeof scenarios;
  readonly from?: string;
  readonly fee?: number;
  readonly swing: number;
  readonly plot?: string;
}

export async function economics(context: Context, file: string | undefined, options: Options): Promise<void> {
  const loaded = await load(file, options);
  const scenario: Scenario = { ...loaded, monthlyFee: options.fee ?? loaded.monthlyFee };
  const result = economicsOf(scenario);
  const swings = sensitivity(scenario, options.swing);
  const { currency, name, monthlyFee } = scenario;
  await plot(context, options.plot, {
    title: `Net present value when each parameter is ${percent(options.swing)} less or more: ${name}`,
    unit: currency,
    base: result.netPresentValue,
    names: ['less', 'more'],
    rows: swings.map(({ what, less, more }) => ({ label: what, values: [less, more] })),
  });
  const money = (value: number) => `${Math.round(value).toLocaleString('en')} ${currency}`;
  await context.show({ scenario: name, currency, monthlyFee, ...result, sensitivity: swings }, () =>
    [
      facts([
        ['scenario', name],
        ['CAPEX', money(result.capex)],
        ['OPEX a year', money(result.opex.total)],
        ['monthly fee', `${monthlyFee} ${currency}`],
        [
          'breaks even at',
          result.breakEvenFee === undefined ? 'no fee' : `${result.breakEvenFee.toFixed(2)} ${currency}`,
        ],
        ['net present value', money(result.netPresentValue)],
        ['internal rate', result.internalRate === undefined ? 'none' : percent(result.internalRate)],
        ['paid back after', result.paidBackAfter === undefined ? 'never' : `${result.paidBackAfter} years`],
      ]),
      '',
      table(
        result.flows.map((flow, year) => ({ year, flow, revenue: result.revenue[year - 1] })),
        [
          { title: 'YEAR', value: (row) => row.year, align: 'right' },
          { title: 'REVENUE', value: (row) => row.revenue && money(row.revenue), align: 'right' },
          { title: 'LESS WHAT IS PAID', value: (row) => money(row.flow), align: 'right' },
        ],
      ),
      '',
      table(swings, [
        { title: `NET PRESENT VALUE WITH ${percent(options.swing)}`, value: (row) => row.what },
        { title: 'LESS', value: (row) => money(row.less), align: 'right' },
        { title: 'MORE', value: (row) => money(row.more), align: 'right' },
      ]),
    ].join('\n'),
  );
}

async function load(file: string | undefined, { scenario, from }: Options): Promise<Scenario> {
  if ([file, scenario, from].filter((way) => way !== undefined).length !== 1) {
    throw usage('a scenario is a file, --scenario or --from: one of them');
  }
  if (scenario !== undefined) return scenarios[scenario];
  if (from !== undefined) return designed(from);
  const { scenario: read, problems } = readScenario(await bytesOf(file!), file);
  return checked(file!, read, problems);
}

/** The scenario in a result of `design network --json`. */
async function designed(from: string): Promise<Scenario> {
  const result = parsed(await bytesOf(from));
  if (typeof result !== 'object' || result === null || !('scenario' in result)) {
    const reason = 'it is not a result of `superfluidity design network --json`, which has a scenario';
    throw new SuperfluidityError('SF-DESIGN-INPUT', { doing: `read ${from}`, reason });
  }
  const { scenario, problems } = readScenario(new TextEncoder().encode(JSON.stringify(result.scenario)), from);
  return checked(from, scenario, problems);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
