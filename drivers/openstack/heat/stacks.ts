import { createHash } from 'node:crypto';
import { canonicalJson, isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import {
  actOnStack,
  listStacks,
  previewStack,
  type Stack,
  type StackName,
  type StackSource,
  stackTemplate,
} from '@superfluidity/openstack';
import type { FoundStack, SiteStacks, StackChange, StackSpec, Tell, UnitStatus } from '@superfluidity/site';
import { LIMITS } from '../config.ts';
import { OURS, tag } from '../marks.ts';
import type { Units } from '../units.ts';
import type { StackCarrier } from './carrier.ts';
import { dress, type DressParts, type Template, unmarked } from './dress.ts';
import { follow, lastEvent, stackFailure } from './follow.ts';
import { findForeign, hostsOf, isForeign, stackById } from './found.ts';
import { previewUpdate, told } from './preview.ts';

export interface StacksParts extends DressParts {
  readonly units: Units;
  readonly carrier: StackCarrier;
  readonly admit: (call: FabricCall) => Promise<void>;
  /** Networks came or went. */
  readonly changed: (call: FabricCall) => Promise<void>;
}

type Source = StackSource & { readonly template: Template };

/** Stacks of Heat, found by their tags: an operator sees ordinary ones. */
export class HeatStacks implements SiteStacks {
  readonly #parts: StacksParts;

  constructor(parts: StacksParts) {
    this.#parts = parts;
  }

  get isPreferred(): boolean {
    return this.#parts.world.config.deploy !== 'direct';
  }

  async preview(spec: StackSpec, signal: AbortSignal): Promise<readonly StackChange[]> {
    const { world } = this.#parts;
    const source = await this.#source(spec, `preview stack ${spec.service} at ${world.name}`, signal);
    const there = await this.#there(spec, signal);
    if (there === undefined) {
      const planned = await previewStack(world.cloud, stackName(spec), source, signal);
      return planned.map((one) => ({ change: 'add', name: one.resource_name, type: one.resource_type }));
    }
    const changes = await previewUpdate(world, named(there), source, reuses(spec), signal);
    return told(changes);
  }

  async ensure(spec: StackSpec, call: FabricCall, tell: Tell): Promise<readonly UnitStatus[]> {
    const { world, admit, changed, hosts } = this.#parts;
    await admit(call);
    const doing = `set stack ${spec.service} at ${world.name}`;
    const source = await this.#source(spec, doing, call.signal);
    const stack = await this.#settled(spec, doing, call, tell);
    const isDone = stack !== undefined && isComplete(stack) && digestIn(stack) === digestIn(source);
    if (stack !== undefined && isForeign(stack)) await this.#refuseReplacement(spec, stack, source, doing, call.signal);
    if (!isDone) await this.#change(spec, stack, source, doing, call, tell);
    else if (await this.#lacksUnits(spec, call.signal)) await this.#repair(spec, stack, source, doing, call, tell);
    hosts.changed();
    await changed(call);
    return this.#ready(spec, call.signal);
  }

  async remove(id: string, call: FabricCall, tell: Tell): Promise<void> {
    await this.#parts.admit(call);
    const stack = await this.#find(id, call.signal);
    if (stack !== undefined) await this.#delete(stack, call.signal, tell);
    this.#parts.hosts.changed();
    await this.#parts.changed(call);
  }

  async find(idOrName: string, signal: AbortSignal): ReturnType<SiteStacks['find']> {
    const stack = await findForeign(this.#parts.world, idOrName, signal);
    return { stack, hosts: await hostsOf(this.#parts, stack, signal) };
  }

  async release(id: string, adopted: FoundStack, call: FabricCall, tell: Tell): Promise<void> {
    await this.#parts.admit(call);
    const doing = `release stack ${adopted.name} at ${this.#parts.world.name}`;
    const stack = await this.#find(id, call.signal);
    if (stack === undefined) return;
    await follow(this.#parts.world, named(stack), undefined, doing, tell, call.signal);
    const { files, tags } = adopted;
    const template = unmarked(
      adopted.template,
      await stackTemplate(this.#parts.world.cloud, named(stack), call.signal),
    );
    await this.#update(stack, { template, files, tags, disable_rollback: true }, true, doing, call, tell);
    this.#parts.networks.forgetAll();
    await this.#parts.changed(call);
  }

  /** All of the site. */
  async purge(signal: AbortSignal): Promise<readonly string[]> {
    const found = await listStacks(this.#parts.world.cloud, { tags: [this.#parts.world.marks.siteTag] }, signal);
    for (const stack of found) await this.#delete(stack, signal, () => {});
    return found.map((stack) => stack.stack_name);
  }

  async #source(spec: StackSpec, doing: string, signal: AbortSignal): Promise<Source> {
    const { template, parameters } = await dress(this.#parts, spec, doing, signal);
    const { marks } = this.#parts.world;
    const { adopted } = spec;
    return {
      template,
      parameters: { ...adopted?.parameters, ...parameters },
      ...(adopted === undefined ? {} : { files: adopted.files }),
      tags: [...(adopted?.tags ?? []), ...marks.tags(spec.id), digestTag(template)],
      disable_rollback: !spec.rollback,
      timeout_mins: LIMITS.stackMinutes,
    };
  }

  async #find(id: string, signal: AbortSignal): Promise<Stack | undefined> {
    const { world } = this.#parts;
    const tags = [world.marks.siteTag, tag('id', id)];
    return (await listStacks(world.cloud, { tags }, signal))[0];
  }

  /** Also one that is to be adopted, and has no mark yet. */
  async #there(spec: StackSpec, signal: AbortSignal): Promise<Stack | undefined> {
    const own = await this.#find(spec.id, signal);
    return own ?? (spec.adopted === undefined ? undefined : stackById(this.#parts.world, spec.adopted, signal));
  }

  /** What is adopted goes on as it is, or is not adopted. */
  async #refuseReplacement(spec: StackSpec, stack: Stack, source: Source, doing: string, signal: AbortSignal) {
    const { world } = this.#parts;
    const { replaced, deleted } = await previewUpdate(world, named(stack), source, reuses(spec), signal);
    const lost = [...replaced, ...deleted].map((one) => one.resource_name);
    if (lost.length === 0) return;
    throw new SuperfluidityError('SF-SITE-CONFLICT', {
      doing,
      reason: `Heat would replace ${lost.slice(0, NAMED_MAX).join(', ')}`,
      hint: 'The stack has changed since it was found: release it, and adopt it anew.',
    });
  }

  /** The stack when nothing is under way in it: what a server began that is gone is brought to its end. */
  async #settled(spec: StackSpec, doing: string, call: FabricCall, tell: Tell): Promise<Stack | undefined> {
    const stack = await this.#there(spec, call.signal);
    if (stack === undefined || !stack.stack_status.endsWith('_IN_PROGRESS')) return stack;
    const now = await follow(this.#parts.world, named(stack), undefined, doing, tell, call.signal);
    return now === undefined ? undefined : { ...now, tags: now.tags ?? stack.tags };
  }

  async #change(
    spec: StackSpec,
    stack: Stack | undefined,
    source: StackSource,
    doing: string,
    call: FabricCall,
    tell: Tell,
  ): Promise<void> {
    const { carrier } = this.#parts;
    let there = stack;
    if (there !== undefined && cannotBeUpdated(there)) {
      await this.#delete(there, call.signal, tell);
      there = undefined;
    }
    if (there !== undefined) return this.#update(there, source, reuses(spec), doing, call, tell);
    // Not given up half way: whether it is begun would not be known.
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    call.signal.throwIfAborted();
    try {
      await carrier.create(stackName(spec), source, lasting);
    } catch (error) {
      // An answer that was lost is no stack that was not made.
      if ((await this.#find(spec.id, call.signal)) === undefined) throw taken(error, spec, doing);
    }
    const made = await this.#find(spec.id, call.signal);
    if (made === undefined) throw new SuperfluidityError('SF-SITE-STACK-FAILED', { doing, reason: 'it is gone again' });
    await this.#complete(made, undefined, doing, call, tell);
  }

  async #update(
    stack: Stack,
    source: StackSource,
    reuse: boolean,
    doing: string,
    call: FabricCall,
    tell: Tell,
  ): Promise<void> {
    const since = await lastEvent(this.#parts.world, named(stack), call.signal);
    call.signal.throwIfAborted();
    await this.#parts.carrier.update(named(stack), source, reuse, AbortSignal.timeout(LIMITS.createMs));
    await this.#complete(stack, since, doing, call, tell);
  }

  /** Follows what was begun until it is complete. */
  async #complete(
    { stack_name: name, id }: Stack,
    since: string | undefined,
    doing: string,
    call: FabricCall,
    tell: Tell,
  ): Promise<void> {
    const { world } = this.#parts;
    const stack = await follow(world, { name, id }, since, doing, tell, call.signal);
    if (stack === undefined) {
      throw new SuperfluidityError('SF-SITE-STACK-FAILED', { doing, reason: 'somebody deleted it meanwhile' });
    }
    if (!isComplete(stack)) throw await stackFailure(world, stack, doing, call.signal);
  }

  async #delete(stack: Stack, signal: AbortSignal, tell: Tell): Promise<void> {
    const { world, carrier, networks } = this.#parts;
    const doing = `delete stack ${stack.stack_name} at ${world.name}`;
    networks.forgetAll();
    const since = await lastEvent(world, named(stack), signal).catch(() => undefined);
    await carrier.delete(named(stack), signal).catch((error: unknown) => {
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
    });
    // Heat itself tries each resource again for a minute (`action_retry_limit`): what holds it then is not about to go.
    const left = await follow(world, named(stack), since, doing, tell, signal);
    if (left !== undefined) throw await stackFailure(world, left, doing, signal);
  }

  async #lacksUnits(spec: StackSpec, signal: AbortSignal): Promise<boolean> {
    const running = new Set((await this.#parts.units.list(signal)).map(({ id }) => id));
    return spec.units.some((unit) => !running.has(unit.spec.id));
  }

  /** Somebody took a server away: Heat looks which resources are there, and makes anew those that are not. */
  async #repair(
    spec: StackSpec,
    stack: Stack,
    source: StackSource,
    doing: string,
    call: FabricCall,
    tell: Tell,
  ): Promise<void> {
    const { world } = this.#parts;
    const since = await lastEvent(world, named(stack), call.signal);
    await actOnStack(world.cloud, named(stack), 'check', call.signal);
    await follow(world, named(stack), since, doing, tell, call.signal);
    await this.#update(stack, source, reuses(spec), doing, call, tell);
  }

  #ready(spec: StackSpec, signal: AbortSignal): Promise<readonly UnitStatus[]> {
    return Promise.all(spec.units.map(({ spec: unit }) => this.#parts.units.ready(unit, signal)));
  }
}

const named = ({ stack_name: name, id }: Stack): StackName => ({ name, id });

/** Letters, digits, underscores, periods and hyphens. */
const stackName = ({ id, adopted }: StackSpec): string => adopted?.name ?? id.replaceAll(/[^\w.-]/g, '.');

/** Hidden parameters of a stack that somebody else made are known to Heat alone. */
const reuses = ({ adopted }: StackSpec): boolean => adopted !== undefined;

const NAMED_MAX = 20;

const isComplete = ({ stack_status: status }: Stack): boolean =>
  /^(CREATE|UPDATE|CHECK|ADOPT|RESUME|SNAPSHOT|RESTORE)_COMPLETE$/.test(status);

/** What was rolled back after it was created has nothing, and a deletion is to be brought to its end. */
const cannotBeUpdated = ({ stack_status: status, updated_time: updated }: Stack): boolean =>
  status.startsWith('DELETE_') || (status.startsWith('ROLLBACK_') && (updated ?? null) === null);

/** Tells apart what a stack was asked to be, with all that depends on the site. */
function digestTag(template: Template): string {
  return tag('digest', createHash('sha256').update(canonicalJson(template)).digest('hex').slice(0, 32));
}

const digestIn = ({ tags }: { readonly tags?: readonly string[] | null | undefined }): string | undefined =>
  tags?.find((one) => one.startsWith(`${OURS}:digest=`));

function taken(error: unknown, spec: StackSpec, doing: string): unknown {
  if (!isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) return error;
  return new SuperfluidityError('SF-SITE-CONFLICT', {
    doing,
    reason: `the project has a stack ${stackName(spec)} that is not of this site`,
    hint: 'Delete or rename that stack, or give the service another name.',
    cause: error,
  });
}
