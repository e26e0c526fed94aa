import { join } from 'node:path';
import { type PlaybookRun, schemas } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { InputValues } from '@superfluidity/dialects';
import type { Tell } from '@superfluidity/site';
import { toJson } from '@superfluidity/store';
import type { PlaybookOrder, PlannedStep } from './actions.ts';
import './errors.ts';
import type { Grant } from './grant.ts';
import { type Inventory, inventoryOf } from './inventory.ts';
import type { Operations } from './operations.ts';
import type { LifecycleOptions } from './options.ts';
import { storedPlan } from './plan.ts';
import { loadService } from './service-records.ts';
import type { Accepted } from './services.ts';

export interface PlaybookRequest extends PlaybookOrder {
  readonly service: string;
  readonly inventory: Inventory;
}

export interface PlaybookOutcome {
  /** Of each host, how many tasks ended how, in the words of Ansible: ok, changed, unreachable, failures, skipped. */
  readonly hosts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What the playbook said by `set_stats`. */
  readonly said: Readonly<Record<string, unknown>>;
}

/** Whoever runs playbooks: apps/server/playbooks. */
export interface PlaybookRunner {
  list(): Promise<readonly string[]>;
  /** Folder in which playbooks leave what they make for a service: keys, credentials. It may not be there yet. */
  artifacts(service: string): string;
  /**
   * Resolves when the playbook is over, and tells each task. Playbooks say what is wanted, so that one that was interrupted is
   * run again. When the signal fires, it is ended. Throws `SF-LIFECYCLE-PLAYBOOK-FAILED` with what the hosts said.
   */
  run(request: PlaybookRequest, signal: AbortSignal, tell: Tell): Promise<PlaybookOutcome>;
}

/** What the API asks for. */
export interface Playbooks {
  list(): Promise<readonly string[]>;
  inventory(service: string): Promise<Inventory>;
  run(service: string, run: PlaybookRun): Promise<Accepted>;
}

/** By this name playbooks leave the credentials of a cluster that they made. */
const KUBECONFIG = 'admin.kubeconfig';

/** The steps that run a playbook over the units of a service once all others are done, and add the site that it made. */
export async function playbookSteps(
  runner: PlaybookRunner | undefined,
  service: string,
  run: PlaybookRun,
  after: readonly PlannedStep[] = [],
): Promise<readonly PlannedStep[]> {
  const doing = `run playbook ${run.playbook} over ${service}`;
  const refuse = (reason: string, hint?: string): never => {
    throw new SuperfluidityError('SF-LIFECYCLE-PLAYBOOK', { doing, reason, ...(hint === undefined ? {} : { hint }) });
  };
  const known = (await runner?.list()) ?? [];
  if (runner === undefined) return refuse('this server runs no playbooks', 'Start it with `--playbooks FOLDER`.');
  if (!known.includes(run.playbook))
    refuse(`there is no such playbook; there are ${known.slice(0, 20).join(', ') || 'none'}`);
  const { timeoutMs, site, key, user, limit, ...rest } = run;
  refuseTemplates(rest.vars, 'vars', refuse);
  const order: PlaybookOrder = {
    ...rest,
    ...(key === undefined ? {} : { key }),
    ...(user === undefined ? {} : { user }),
    ...(limit === undefined ? {} : { limit }),
  };
  const waited = new Set(after.flatMap((step) => step.dependsOn));
  const step: PlannedStep = {
    id: 'playbook',
    title: doing,
    dependsOn: after.map(({ id }) => id).filter((id) => !waited.has(id)),
    action: { verb: 'run-playbook', service, order, timeoutMs },
  };
  if (site === undefined || run.check) return [...after, step];
  const config = { kubeconfig: join(runner.artifacts(service), KUBECONFIG) };
  const added: PlannedStep = {
    id: `add-site@${site}`,
    title: `add the cluster as site ${site}`,
    dependsOn: [step.id],
    action: {
      verb: 'add-site',
      declaration: schemas.siteDeclaration.parse({ name: site, kind: 'kubernetes', config }),
    },
  };
  return [...after, step, added];
}

/** Variables are templates to Ansible: one that looks like some could do anything on the server. */
function refuseTemplates(value: unknown, path: string, refuse: (reason: string) => never): void {
  if (typeof value === 'string' && /\{[{%#]/.test(value)) refuse(`${path} has a template of Jinja in it`);
  if (value === null || typeof value !== 'object') return;
  for (const [key, one] of Object.entries(value)) {
    refuseTemplates(key, `a name in ${path}`, refuse);
    refuseTemplates(one, `${path}.${key}`, refuse);
  }
}

const NOTHING_PLACED: Grant = { placed: [], assignments: [], chains: [], costPerHour: 0 };

/** An operation on a service that is there. */
export async function runPlaybook(
  options: LifecycleOptions,
  operations: Operations,
  name: string,
  run: PlaybookRun,
): Promise<Accepted> {
  const { row, lastOperation } = await loadService(options.store, name);
  const { playbooks: kept } = row.desired as { readonly playbooks?: PlaybookDefaults };
  const whole = beginningWith(kept, run);
  const plan = storedPlan('PLAYBOOK', name, NOTHING_PLACED, await playbookSteps(options.playbooks, name, whole));
  // Values of variables may be secrets: whoever may see operations sees their names.
  const params = { playbook: run.playbook, vars: Object.keys(whole.vars) };
  const operation = operations.make({ service: name, kind: 'PLAYBOOK', automatic: false, params, plan });
  await operations.records.insertAfter(lastOperation, operation, toJson(row.desired as never));
  await operations.start(operation);
  return { operation: operation.id, service: name };
}

export async function serviceInventory({ store }: Pick<LifecycleOptions, 'store'>, name: string): Promise<Inventory> {
  return inventoryOf((await loadService(store, name)).units);
}

/** What a deployment said of its playbooks: those that are run later begin with it, for a cluster is made and grows by one playbook. */
export type PlaybookDefaults = Pick<PlaybookRun, 'vars' | 'user' | 'key'>;

export function playbookDefaults(run: PlaybookRun | undefined, inputs: InputValues): PlaybookDefaults {
  const [user, key] = [run?.user ?? inputs[USER], run?.key ?? inputs[KEY]];
  return {
    vars: run?.vars ?? variablesOf(inputs),
    ...(typeof user === 'string' && user !== '' ? { user } : {}),
    ...(typeof key === 'string' && key !== '' ? { key } : {}),
  };
}

export const beginningWith = (kept: PlaybookDefaults | undefined, run: PlaybookRun): PlaybookRun => ({
  ...kept,
  ...run,
  vars: { ...kept?.vars, ...run.vars },
});

const variablesOf = (inputs: InputValues): PlaybookRun['vars'] =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => !isForControlPlane(name)));

/** Inputs of a template that are for the control plane, so that a form asks for them: see docs/guides/cluster.md. */
export const isForControlPlane = (input: string): boolean => input.startsWith('superfluidity_');
const PLAYBOOK = 'superfluidity_playbook';
const SITE = 'superfluidity_site';
const KEY = 'superfluidity_key';
const USER = 'superfluidity_user';

/**
 * What to run once the machines are there: what was asked for, or else what the template says by an input of the name
 * `superfluidity_playbook`. Its variables are the inputs that were given, with those that were asked for over them.
 */
export function playbookOf(asked: PlaybookRun | undefined, inputs: InputValues): PlaybookRun | undefined {
  const [site, key, user] = [inputs[SITE], inputs[KEY], inputs[USER]];
  const said = { ...(site ? { site } : {}), ...(key ? { key } : {}), ...(user ? { user } : {}) };
  const vars = variablesOf(inputs);
  if (asked === undefined && !inputs[PLAYBOOK]) return undefined;
  const parsed = schemas.playbookRun.safeParse({
    ...said,
    ...(asked ?? { playbook: inputs[PLAYBOOK] }),
    vars: { ...vars, ...asked?.vars },
  });
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues
    .map(({ path, message }) => `superfluidity_${path.join('.')}: ${message}`)
    .join('; ');
  throw new SuperfluidityError('SF-LIFECYCLE-PLAYBOOK', { doing: 'read the inputs', reason });
}
