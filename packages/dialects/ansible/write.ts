import type { Block, Environment, Execution, Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { bridgeScript, plugScript } from './host-scripts.ts';
import { NETWORK_ROLE, planTree, type Plan, type PlannedUnit } from './plan.ts';
import {
  createPlaybook,
  deletePlaybook,
  groupVars,
  hosts,
  NETWORK_DELETE,
  networkTasks,
  PORTS_TEMPLATE,
  scalePlaybook,
  startTasks,
  STOP_TASKS,
  UNIT_MAIN,
  unitVars,
  type Copied,
} from './playbooks.ts';
import { routesOf } from './routes.ts';
import { rulesOf } from './rules.ts';
import { runScript } from './run-scripts.ts';
import { isArgument } from './text.ts';

/**
 * A service as playbooks that run it on plain Linux hosts: networks by bridges and VXLAN, packet functions by nftables in
 * namespaces, containers by podman, virtual machines by QEMU. `create`, `scale` and `delete`, a role for each unit.
 */
export function writeAnsible(service: Service, lose: Lose): readonly DescriptorFile[] {
  const plan = planTree(service, (unit, at, path) => isRunnable(unit, at, path, lose), lose);
  const routes = routesOf(service, plan, lose);
  const files: Record<string, string> = {
    'create.yml': createPlaybook(service, plan),
    'delete.yml': deletePlaybook(service, plan),
    'hosts.yml': hosts(plan.groups),
    'scale.yml': scalePlaybook(service, plan),
    'group_vars/all.yml': groupVars(service, plan, routes.hosts),
    [`roles/${NETWORK_ROLE}/files/bridge`]: bridgeScript,
    [`roles/${NETWORK_ROLE}/files/plug`]: plugScript,
    [`roles/${NETWORK_ROLE}/tasks/delete.yml`]: NETWORK_DELETE,
    [`roles/${NETWORK_ROLE}/tasks/main.yml`]: networkTasks(programsOf(plan)),
  };
  for (const planned of plan.units) {
    const kept = { ...planned, unit: withoutLost(planned, lose) };
    const role = `roles/${planned.role}`;
    files[`${role}/files/routes`] = (routes.units.get(planned.role) ?? []).map((line) => `${line}\n`).join('');
    files[`${role}/files/rules.nft`] = rulesOf(kept);
    files[`${role}/files/run`] = runScript(kept);
    files[`${role}/tasks/main.yml`] = UNIT_MAIN;
    files[`${role}/tasks/start.yml`] = startTasks(kept.unit.execution!.health);
    files[`${role}/tasks/stop.yml`] = STOP_TASKS;
    files[`${role}/templates/ports.j2`] = PORTS_TEMPLATE;
    files[`${role}/vars/main.yml`] = unitVars(kept, copiedOf(kept.unit.execution!));
  }
  return Object.entries(files).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
}

const executed: Readonly<Partial<Record<Environment, readonly (keyof Execution)[]>>> = {
  container: ['image', 'command', 'env', 'files', 'program', 'forwards', 'health', 'drain'],
  process: ['command', 'env', 'program', 'forwards', 'health', 'drain'],
  nft: ['program', 'forwards', 'health'],
  vm: ['image', 'health'],
};

/** Names that are words of a shell and paths of a host as they are; none of them can be taken for an option. */
const IMAGES: Readonly<Partial<Record<Environment, RegExp>>> = {
  container: /^(?:host:|folder:.+|oci:.+|name:[A-Za-z0-9][\w./:@-]*)$/s,
  vm: /^(?:disk:.+|name:[A-Za-z0-9][\w.-]*)$/s,
};

function isRunnable(unit: Block, at: string, path: string, lose: Lose): boolean {
  const { environment, image = '', command = [], env = {}, files = '', program = '' } = unit.execution!;
  if (executed[environment] === undefined) {
    lose(at, `unit '${path}': environment '${environment}' is not on plain hosts`);
    return false;
  }
  const images = IMAGES[environment];
  if (images !== undefined && !images.test(image)) {
    lose(at, `unit '${path}': plain hosts have no image '${image.slice(0, 60)}' for environment '${environment}'`);
    return false;
  }
  const words = [...command, ...Object.entries(env).flat(), image, files, program];
  if (words.every(isArgument) && !Object.keys(env).some((name) => name === '' || name.includes('='))) return true;
  lose(at, `unit '${path}': a word with NUL, or a variable whose name has none of its letters`);
  return false;
}

/** Says what this environment leaves out of what others carry out. */
function withoutLost({ unit, at, path, ports }: PlannedUnit, lose: Lose): Block {
  const { environment, ...rest } = unit.execution!;
  const allowed = executed[environment]!;
  const reachable = (health: Execution['health']) => health?.kind === 'running' || ports.length > 0;
  const kept = Object.entries(rest).filter(([field]) => {
    if (!(allowed as readonly string[]).includes(field)) lose(`${at}.${field}`, `${field} of ${environment} '${path}'`);
    else if (field === 'health' && !reachable(rest.health))
      lose(`${at}.health`, `health of '${path}', which no network leads to`);
    else return true;
    return false;
  });
  const bounded = environment === 'container' || environment === 'vm';
  for (const field of ['cpu', 'memoryMiB'] as const) {
    if (!bounded && unit.requirements[field] !== undefined)
      lose(`${at}.requirements.${field}`, `a bound for ${field} of ${environment} '${path}'`);
  }
  unit.ports.forEach((port, i) => {
    if (port.network === undefined)
      lose(`${at}.ports[${i}]`, `port '${port.name}' of '${path}', which is on no network`);
    else if (port.allow !== undefined && environment === 'vm')
      lose(`${at}.ports[${i}].allow`, `what may come in by port '${port.name}' of vm '${path}'`);
  });
  return { ...unit, execution: { environment, ...Object.fromEntries(kept) } };
}

function copiedOf({ files, image = '' }: Execution): readonly Copied[] {
  const [, kind, path] = /^(folder|oci|disk):(.+)$/s.exec(image) ?? [];
  return [
    ...(files === undefined ? [] : [{ from: files, to: 'files', folder: true } as const]),
    ...(path === undefined ? [] : [{ from: path, to: 'image', folder: kind !== 'disk' } as const]),
  ];
}

function programsOf({ units }: Plan): readonly string[] {
  const has = (environment: Environment) => units.some(({ unit }) => unit.execution!.environment === environment);
  return ['ip', 'bridge', 'nft', ...(has('container') ? ['podman'] : []), ...(has('vm') ? ['qemu-system-x86_64'] : [])];
}
