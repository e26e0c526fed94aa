import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { Environment } from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import { namespaceExists, namespacePath } from '@superfluidity/netlink';
import {
  applyRuleset,
  isAlive,
  killProcess,
  type ProcessRef,
  processRef,
  type Scope,
  spawnDetached,
  waitForExit,
} from '@superfluidity/router';
import { addToCgroup, createCgroup, deleteCgroup, limitCgroup, listCgroupProcesses } from './kernel/cgroup.ts';
import { containerState, createContainer, deleteContainer, type OciRuntime, startContainer } from './runtime/oci.ts';
import { containerConfig, NETWORK_CAPABILITIES, PLAIN_CAPABILITIES } from './runtime/oci-spec.ts';
import { prepareImage, type ReadyImage } from './runtime/images.ts';
import { removeRootfs } from './runtime/rootfs.ts';
import { giveFacts, pressPowerButton } from './runtime/qemu.ts';
import { consolePath, prepareVm, vmOf } from './vm.ts';
import type { Slot } from './wiring.ts';

/** What runs in a slot, as data that survives the control plane. */
export interface Workload {
  readonly environment: Environment;
  /** The process whose end is the end of the unit. Packet functions have none. */
  readonly process?: ProcessRef;
  readonly container?: string;
}

/** What units of one class have in common: enough to prepare one before it has a name. */
export type UnitTemplate = Omit<UnitSpec, 'id' | 'index' | 'ports' | 'facts'>;

export interface WorkloadContext {
  readonly scope: Scope;
  readonly slot: Slot;
  /** Private folder of the slot. */
  readonly folder: string;
  readonly template: UnitTemplate;
  readonly hostNamespace: string;
  readonly serviceAddresses: readonly string[];
}

/** Where a unit reads what the site tells it. A process sees the machine's files, so it is told the real path. */
const FACTS_INSIDE = '/run/superfluidity';
const FILES_INSIDE = '/app';
const PIDS_MAX = 512;
const EXIT_TIMEOUT_MS = 5000;

export function factsFolder(folder: string): string {
  return join(folder, 'facts');
}

/** Virtual machines print on their console. */
export function outputPath(folder: string, environment: Environment): string {
  return environment === 'vm' ? consolePath(folder) : join(folder, 'output.log');
}

export function ociRuntime(scope: Scope): OciRuntime {
  return { program: 'runc', root: join(scope.folder, 'runc') };
}

export function imageCache(scope: Scope): string {
  return join(scope.folder, 'images');
}

export function unitCgroup(scope: Scope, slotId: string): string {
  return `${scope.cgroup}/${slotId}`;
}

/** Written whole before the unit starts, and never changed. Machines do not see the folder: they are told. */
export function writeFacts(folder: string, facts: Readonly<Record<string, string>>): void {
  writeFileSync(join(factsFolder(folder), 'facts.json'), JSON.stringify(facts), { mode: 0o644 });
}

/** Everything up to the moment at which the unit's own program would begin. */
export async function prepareWorkload(context: WorkloadContext, signal: AbortSignal): Promise<Workload> {
  const { slot, folder, template } = context;
  const { execution } = template;
  mkdirSync(factsFolder(folder), { recursive: true, mode: 0o755 });
  if (execution.program !== undefined && slot.namespace !== undefined) {
    checkProgram(execution.program);
    await applyRuleset(slot.namespace, `${execution.program}\n`, signal);
  }
  if (execution.environment === 'container') return prepareContainer(context);
  if (execution.environment === 'vm') return prepareMachine(context, signal);
  return { environment: execution.environment };
}

/** A rule set is somebody's input: it may not name files of the machine. */
function checkProgram(program: string): void {
  if (!/^\s*include\b/m.test(program)) return;
  throw new SuperfluidityError('SF-SITE-UNIT-FAILED', {
    doing: 'load the rule set of a packet function',
    reason: 'it includes other files, which a packet function must not',
    hint: 'Write the whole rule set into `program`.',
  });
}

/** A path of the descriptor, which must lie in the folder of the package. */
function packagePath(template: UnitTemplate, path: string, what: string): string {
  const base = template.baseFolder;
  const doing = `use ${what} ${path} of ${template.path}`;
  if (base === undefined) {
    if (isAbsolute(path)) return path;
    throw new SuperfluidityError('SF-SITE-IMAGE', {
      doing,
      reason: 'the path is relative and there is no folder to which',
    });
  }
  const full = resolve(base, path);
  const inside = relative(base, full);
  if (!isAbsolute(path) && (inside.startsWith('..') || isAbsolute(inside))) {
    throw new SuperfluidityError('SF-SITE-IMAGE', { doing, reason: 'the path leads out of the package' });
  }
  return full;
}

function filesFolder(template: UnitTemplate): string | undefined {
  if (template.execution.files === undefined) return undefined;
  const path = packagePath(template, template.execution.files, 'files');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new SuperfluidityError('SF-SITE-IMAGE', {
    doing: `use files ${template.execution.files} of ${template.path}`,
    reason: `${path} is not a folder`,
  });
}

function command(template: UnitTemplate): readonly [string, ...string[]] {
  const [program, ...args] = template.execution.command ?? [];
  if (program !== undefined) return [program, ...args];
  throw new SuperfluidityError('SF-SITE-UNIT-FAILED', {
    doing: `start ${template.path}`,
    reason: 'it has no command',
    hint: 'Give the unit a `command`.',
  });
}

async function readyImage({ scope, template, folder }: WorkloadContext): Promise<ReadyImage> {
  const image = template.execution.image ?? 'host:';
  const doing = `prepare image ${image} for ${template.path}`;
  try {
    const at = image.indexOf(':') + 1;
    const path = at === image.length ? '' : packagePath(template, image.slice(at), 'image');
    return await prepareImage(`${image.slice(0, at)}${path}`, imageCache(scope), folder);
  } catch (cause) {
    if (!isSuperfluidityError(cause, 'SF-LINUX-IMAGE')) throw cause;
    throw new SuperfluidityError('SF-SITE-IMAGE', { doing, reason: cause.details.reason, cause });
  }
}

async function prepareContainer(context: WorkloadContext): Promise<Workload> {
  const { scope, slot, folder, template } = context;
  const { execution } = template;
  const { rootfs: prepared, process: own } = await readyImage(context);
  const files = filesFolder(template);
  // Mount points in a root that cannot be written have to be there before.
  if (!prepared.writableRoot && files !== undefined)
    mkdirSync(join(prepared.rootfs, FILES_INSIDE), { recursive: true });
  const config = containerConfig({
    rootfs: prepared.rootfs,
    writableRoot: prepared.writableRoot,
    tmpfs: prepared.tmpfs,
    args: execution.command === undefined && own.args.length > 0 ? own.args : command(template),
    cwd: own.cwd,
    env: { ...own.env, ...execution.env, FACTS_FILE: `${FACTS_INSIDE}/facts.json` },
    hostname: template.path.replaceAll(/[^A-Za-z0-9-]+/g, '-').slice(0, 63),
    networkNamespace: namespacePath(slot.namespace!),
    cgroup: `/${unitCgroup(scope, slot.id)}`,
    capabilities: execution.forwards === true ? NETWORK_CAPABILITIES : PLAIN_CAPABILITIES,
    // The processor is limited when it is made: the runtime's own work in there would take ten times as long.
    limits: { memoryMiB: template.memoryMiB, pidsMax: PIDS_MAX },
    mounts: [
      ...prepared.mounts,
      { source: factsFolder(folder), destination: FACTS_INSIDE },
      ...(files === undefined ? [] : [{ source: files, destination: FILES_INSIDE }]),
    ],
  });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const state = await createContainer(ociRuntime(scope), slot.id, {
    bundle: folder,
    stdoutPath: outputPath(folder, 'container'),
  });
  createCgroup(unitCgroup(scope, slot.id), { cpuCores: coresToBegin(template) });
  return { environment: 'container', container: slot.id, process: state.process };
}

async function prepareMachine(context: WorkloadContext, signal: AbortSignal): Promise<Workload> {
  const { scope, slot, folder, template, hostNamespace, serviceAddresses } = context;
  if (serviceAddresses.length > 1) {
    throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
      doing: `prepare ${template.path}`,
      reason: 'a virtual machine can be the end of one chain only',
    });
  }
  const vm = await prepareVm(
    {
      scope,
      slot,
      folder,
      namespace: hostNamespace,
      cgroup: unitCgroup(scope, slot.id),
      image: template.execution.image ?? 'guest:',
      command: template.execution.command ?? [],
      env: template.execution.env ?? {},
      files: filesFolder(template),
      serviceAddress: serviceAddresses[0],
      health: template.execution.health,
      cpu: template.cpu,
      memoryMiB: template.memoryMiB,
    },
    signal,
  );
  return { environment: 'vm', process: vm.process };
}

export async function startWorkload(
  context: WorkloadContext,
  prepared: Workload,
  facts: UnitSpec['facts'],
  signal: AbortSignal,
): Promise<Workload> {
  if (prepared.container !== undefined) {
    await startContainer(ociRuntime(context.scope), prepared.container);
    return prepared;
  }
  if (prepared.environment === 'vm') await giveFacts(vmOf(context.folder, prepared.process!), facts, signal);
  if (prepared.environment === 'process') return startProcess(context, prepared);
  return prepared;
}

/**
 * A program takes more of the processor to begin than later: held to half of one, what takes it 150 ms takes 350. So it
 * may have a whole one, until `limitProcessor` ends that.
 */
function coresToBegin({ cpu }: UnitTemplate): number {
  return Math.max(cpu, 1);
}

/** To what the unit asked for. Machines are held to it from the start, since they begin before they are a unit. */
export function limitProcessor({ scope, slot, template }: Pick<WorkloadContext, 'scope' | 'slot' | 'template'>): void {
  const { environment } = template.execution;
  const hasGroup = environment === 'container' || environment === 'process';
  if (hasGroup && template.cpu < coresToBegin(template)) {
    limitCgroup(unitCgroup(scope, slot.id), { cpuCores: template.cpu });
  }
}

export interface Surroundings {
  readonly namespace?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where the process of a unit runs, and what it is told. */
export function processSurroundings({ slot, folder, template }: WorkloadContext): Surroundings {
  return {
    ...(slot.namespace === undefined ? {} : { namespace: slot.namespace }),
    cwd: filesFolder(template) ?? folder,
    // Nothing of the control plane's own environment: it may hold secrets.
    env: {
      PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: '/tmp',
      ...template.execution.env,
      FACTS_FILE: join(factsFolder(folder), 'facts.json'),
    },
  };
}

async function startProcess(context: WorkloadContext, prepared: Workload): Promise<Workload> {
  const { scope, slot, folder, template } = context;
  const surroundings = processSurroundings(context);
  const cgroup = unitCgroup(scope, slot.id);
  createCgroup(cgroup, { cpuCores: coresToBegin(template), memoryMiB: template.memoryMiB, pidsMax: PIDS_MAX });
  const started = await spawnDetached(command(template), {
    ...surroundings,
    stdoutPath: outputPath(folder, 'process'),
  });
  addToCgroup(cgroup, started.pid);
  return { ...prepared, process: started };
}

/** Why the unit does not run, or undefined while it does. */
export function endOf(context: Pick<WorkloadContext, 'slot'>, workload: Workload): string | undefined {
  const { namespace } = context.slot;
  if (namespace !== undefined && !namespaceExists(namespace)) return 'its network namespace is gone';
  if (workload.process !== undefined && !isAlive(workload.process)) return `its process ${workload.process.pid} ended`;
  return undefined;
}

/** Asks the unit to finish: a machine by its power button, since a signal would end it at once. */
export async function drainWorkload(folder: string, workload: Workload, signal: NodeJS.Signals): Promise<void> {
  if (workload.process === undefined) return;
  if (workload.environment === 'vm') await pressPowerButton(vmOf(folder, workload.process));
  else killProcess(workload.process, signal);
}

/** Ends and removes everything that `prepareWorkload` and `startWorkload` make, whole or not. Idempotent. */
export async function destroyWorkload(
  scope: Scope,
  slotId: string,
  folder: string,
  environment: Environment,
): Promise<void> {
  const runtime = ociRuntime(scope);
  if (environment === 'container') {
    const process = containerState(runtime, slotId)?.process;
    if (process !== undefined) {
      killProcess(process, 'SIGKILL');
      await waitForExit(process, EXIT_TIMEOUT_MS);
    }
    await deleteContainer(runtime, slotId);
    await removeRootfs(folder);
  }
  const cgroup = unitCgroup(scope, slotId);
  for (const pid of listCgroupProcesses(cgroup)) {
    const target = processRef(pid);
    if (target !== undefined && killProcess(target, 'SIGKILL')) await waitForExit(target, EXIT_TIMEOUT_MS);
  }
  await deleteCgroup(cgroup);
  await rm(folder, { recursive: true, force: true });
}
