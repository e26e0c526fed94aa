import type { CheckResult, Plan, ServiceDetail } from '@superfluidity/api';
import type { Problem } from '@superfluidity/core';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { planText } from '../print/plan.ts';
import { problemLine } from '../print/problem.ts';
import { facts, table } from '../print/table.ts';
import { clockTime, dateTime, milliseconds } from '../print/values.ts';
import { verificationText } from '../print/verification.ts';
import { inputsText, readInputs, type GivenInputs, standIns } from '../inputs.ts';
import { accept, type Waiting } from './accepted.ts';
import { type PlaybookOptions, playbookGiven } from './playbook.ts';
import { readSource } from '../source.ts';

const named = (name: string | undefined) => (name === undefined ? {} : { name });

export async function check(
  context: Context,
  files: readonly string[],
  options: { offline?: boolean; fix?: boolean },
): Promise<void> {
  if (options.fix === true) await (await import('../dialects/fix.ts')).fix(context, files);
  const source = await readSource(files);
  const read = options.offline ? await checkHere(source) : await checkAnywhere(context, source);
  const result = 'descriptor' in source ? read : await withImages(read, files, source);
  await context.show(result, () => checkText(context, result));
  if (!result.ok) process.exitCode = exitCodes.usage;
  else if (result.verification?.answer === 'violated') process.exitCode = exitCodes.failed;
}

/** For all policies of a descriptor that is checked without a server. */
const PROOF_MS = 5_000;

type Source = Awaited<ReturnType<typeof readSource>>;

/** How what is new is made. */
interface Way {
  readonly via?: 'heat' | 'direct';
  readonly rollback?: boolean;
}

const wayOf = ({ via, rollback }: Way) => ({
  ...(via === undefined ? {} : { via }),
  ...(rollback === undefined ? {} : { rollback }),
});

interface Described extends GivenInputs, Way, PlaybookOptions {
  readonly name?: string;
  readonly base?: string;
  /** `tier=site`, several. */
  readonly site?: readonly string[];
}

/** Reading changes nothing and needs no sites: without a server it is done here. */
async function checkAnywhere(context: Context, source: Source): Promise<CheckResult> {
  try {
    return await (await context.client()).call('checkService', { body: source });
  } catch (error) {
    const { isSuperfluidityError } = await import('@superfluidity/core');
    const away = isSuperfluidityError(error, 'SF-API-UNREACHABLE') || isSuperfluidityError(error, 'SF-CLI-NO-TOKEN');
    if (!away || 'descriptor' in source) throw error;
    return checkHere(source);
  }
}

function plain({ position, suggestion, ...problem }: Problem): CheckResult['problems'][number] {
  return {
    ...problem,
    ...(position === undefined ? {} : { position: { ...position } }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

async function checkHere(source: Source): Promise<CheckResult> {
  const { SuperfluidityError } = await import('@superfluidity/core');
  if ('descriptor' in source) {
    const reason = `the catalogue entry ${source.descriptor} is known to the server only`;
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'check offline', reason });
  }
  const { readDescriptor } = await import('@superfluidity/dialects');
  const files = source.files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') }));
  const { service, problems, format = 'unknown' } = readDescriptor(files);
  const found = { ok: service !== undefined, format, problems: problems.map(plain), ...named(service?.block.name) };
  if ((service?.policies ?? []).length === 0) return found;
  const { proveHere } = await import('../verify/prove-here.ts');
  return { ...found, verification: proveHere(source, PROOF_MS) };
}

/** The files that a descriptor speaks of are here, and not where it is read. */
async function withImages(
  result: CheckResult,
  inputs: readonly string[],
  source: Exclude<Source, { descriptor: string }>,
): Promise<CheckResult> {
  const missing = await (await import('../images.ts')).missingImages(inputs, source);
  return missing.length === 0
    ? result
    : { ...result, ok: false, problems: [...result.problems, ...missing.map(plain)] };
}

function checkText({ style }: Context, { ok, name, format, problems, verification }: CheckResult): string {
  const lines = problems.map((problem) => problemLine(problem as Problem, style));
  const verdict = ok
    ? style.green(`${name ?? 'the descriptor'} can be used`)
    : style.red('the descriptor cannot be used');
  const policies = verification === undefined ? [] : [verificationText(verification, style)];
  return [...lines, `${verdict}  (${format})`, ...policies].join('\n');
}

export async function plan(context: Context, files: readonly string[], options: Described): Promise<void> {
  const source = await readSource(files, options.base);
  const body = {
    source,
    ...named(options.name),
    ...(await readInputs(options)),
    ...standIns(options.site),
    ...wayOf(options),
    ...(await playbookGiven(options)),
  };
  const result: Plan = await (await context.client()).call('planService', { body });
  await context.show(result, () => planText(result, context.style));
}

export async function deploy(context: Context, files: readonly string[], options: Waiting & Described): Promise<void> {
  const source = await readSource(files, options.base);
  const client = await context.client();
  const body = {
    source,
    ...named(options.name),
    ...(await readInputs(options)),
    ...standIns(options.site),
    ...wayOf(options),
    ...(await playbookGiven(options)),
  };
  await accept(context, await client.call('deployService', { body }), options);
}

export async function adopt(
  context: Context,
  stack: string,
  options: Waiting & { site: string; name?: string; dryRun?: boolean },
): Promise<void> {
  const client = await context.client();
  const body = { site: options.site, stack, ...named(options.name) };
  if (options.dryRun === true) {
    const result: Plan = await client.call('planAdoption', { body });
    return context.show(result, () => planText(result, context.style));
  }
  await accept(context, await client.call('adoptStack', { body }), options);
}

export async function inputs(context: Context, files: readonly string[]): Promise<void> {
  const form = await (await context.client()).call('readInputs', { body: await readSource(files) });
  await context.show(form.schema, () => inputsText(form.schema));
}

/** What is pushed with the id of the descriptor that it was planned on: of two who change it at once, the second is told. */
export async function update(
  context: Context,
  name: string,
  files: readonly string[],
  options: Waiting & Way & { base?: string; dryRun?: boolean },
): Promise<void> {
  const source = await readSource(files, options.base);
  const client = await context.client();
  const params = { name };
  if (options.dryRun === true) {
    const result: Plan = await client.call('planUpdate', { params, body: { source, ...wayOf(options) } });
    return context.show(result, () => planText(result, context.style));
  }
  const { descriptorId: after } = await client.call('getService', { params, query: { units: 0 } });
  await accept(
    context,
    await client.call('updateService', { params, body: { source, after, ...wayOf(options) } }),
    options,
  );
}

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listServices', { query: query as never });
  const services = page.items;
  await context.show(services, () =>
    table(services, [
      { title: 'NAME', value: (one) => one.name },
      { title: 'VERSION', value: (one) => one.version },
      { title: 'STATE', value: (one) => one.state },
      { title: 'HEALTH', value: (one) => (one.healthy ? 'healthy' : 'not healthy') },
      { title: 'UNITS', value: (one) => `${one.runningCount}/${one.unitCount}`, align: 'right' },
      { title: 'SITES', value: (one) => one.sites.join(' ') },
      { title: 'BUSY WITH', value: (one) => one.busy },
    ]),
  );
  noteMore(context, page);
}

export async function show(context: Context, name: string): Promise<void> {
  const service = await (await context.client()).call('getService', { params: { name } });
  await context.show(service, () => serviceText(service));
}

function serviceText(service: ServiceDetail): string {
  const parts = [
    facts([
      ['name', service.name],
      ['id', service.id],
      ['descriptor', `${service.descriptorId} version ${service.version}`],
      ['state', `${service.state}, ${service.healthy ? 'healthy' : 'not healthy'}`],
      ['busy with', service.busy],
      ['since', dateTime(service.createdAt)],
    ]),
    table(service.units, [
      { title: 'UNIT', value: (one) => `${one.path}#${one.index}` },
      { title: 'ENVIRONMENT', value: (one) => one.environment },
      { title: 'SITE', value: (one) => one.site },
      { title: 'HOST', value: (one) => one.host },
      { title: 'STATE', value: (one) => one.state },
      { title: 'ADDRESSES', value: (one) => one.ports.map((port) => port.address).join(' ') },
      { title: 'ID', value: (one) => one.id },
    ]),
  ];
  if (service.chains.length > 0) {
    parts.push(
      table(service.chains, [
        { title: 'CHAIN', value: (one) => one.name },
        { title: 'LATENCY', value: (one) => milliseconds(one.latencyMs), align: 'right' },
        { title: 'HOPS', value: (one) => one.hops.map((hop) => `${hop.unit}@${hop.site}`).join(' > ') },
      ]),
    );
  }
  return parts.join('\n\n');
}

export async function scale(
  context: Context,
  name: string,
  unit: string,
  count: string,
  options: Waiting,
): Promise<void> {
  const client = await context.client();
  const body = { unit, count: Number(count) };
  await accept(context, await client.call('scaleService', { params: { name }, body }), options);
}

export async function move(
  context: Context,
  name: string,
  what: string,
  options: Waiting & { to: string; host?: string },
): Promise<void> {
  const client = await context.client();
  const body = { what, to: options.to, ...(options.host === undefined ? {} : { host: options.host }) };
  await accept(context, await client.call('moveService', { params: { name }, body }), options);
}

export async function heal(context: Context, name: string, unit: string | undefined, options: Waiting): Promise<void> {
  const client = await context.client();
  const body = unit === undefined ? {} : { unit };
  await accept(context, await client.call('healService', { params: { name }, body }), options);
}

export async function terminate(context: Context, name: string, options: Waiting): Promise<void> {
  const client = await context.client();
  await accept(context, await client.call('terminateService', { params: { name } }), options);
}

const LOG_POLL_MS = 500;

/** UNIT is an id, or a path with or without the index: `video/server#0`. */
export async function logs(context: Context, name: string, unit: string, options: { follow?: boolean }): Promise<void> {
  const client = await context.client();
  const { units } = await client.call('getService', { params: { name } });
  const found = units.find((one) => [one.id, one.path, `${one.path}#${one.index}`].includes(unit));
  const params = { name, unit: found?.id ?? unit };
  let offset = 0;
  do {
    const output = await client.call('readUnitOutput', { params, query: { offset } });
    for (const line of output.lines) context.say(line);
    if (output.next === offset && !options.follow) return;
    if (output.next === offset) await new Promise((resolve) => setTimeout(resolve, LOG_POLL_MS));
    offset = output.next;
  } while (true);
}

export async function samples(
  context: Context,
  name: string,
  options: { follow?: boolean; limit: number },
): Promise<void> {
  const client = await context.client();
  const latest = await client.call('getSamples', { params: { name }, query: { limit: options.limit } });
  const columns = [
    { title: 'TIME        ', value: (one: (typeof latest)[number]) => clockTime(one.t) },
    { title: 'UNIT', value: (one: (typeof latest)[number]) => one.unit },
    { title: 'LATENCY', value: (one: (typeof latest)[number]) => milliseconds(one.latencyMs), align: 'right' },
    { title: 'BYTES', value: (one: (typeof latest)[number]) => one.bytes, align: 'right' },
    { title: 'FROM', value: (one: (typeof latest)[number]) => one.from },
    { title: 'RESULT', value: (one: (typeof latest)[number]) => (one.ok ? 'ok' : (one.error ?? 'failed')) },
  ] as const;
  await context.show(latest, () => table(latest, columns));
  if (!options.follow) return;
  const input = { params: { name }, signal: new AbortController().signal };
  for await (const batch of client.follow('followSamples', input)) {
    await context.show(batch, () => table(batch, columns).split('\n').slice(1).join('\n'));
  }
}
