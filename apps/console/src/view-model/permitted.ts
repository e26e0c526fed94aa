import type {
  Descriptor,
  Operation,
  Plan,
  Secret,
  ServiceDetail,
  Site,
  TerminalOffer,
  Token,
  User,
} from '@superfluidity/api';

/** Which actions make sense now. What does not carries the reason, which the disabled button shows. */
export type Permission = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const yes: Permission = { allowed: true };
const no = (reason: string): Permission => ({ allowed: false, reason });

export type OperationVerb = 'retry' | 'rollback' | 'continue' | 'fail' | 'cancel';
export const operationVerbs: readonly OperationVerb[] = ['retry', 'rollback', 'continue', 'fail', 'cancel'];

/** ETSI GS NFV-SOL 003, 5.6.2: retry, rollback, continue and fail start from FAILED_TEMP; cancel stops what runs. */
export function operationMay(verb: OperationVerb, operation: Pick<Operation, 'state' | 'cancelPending'>): Permission {
  const { state } = operation;
  if (state === 'COMPLETED' || state === 'ROLLED_BACK' || state === 'FAILED') {
    return no(`The operation is over: ${stateWords[state]}.`);
  }
  if (verb === 'cancel') {
    if (operation.cancelPending) return no('It is being cancelled: running steps are coming to their end.');
    return state === 'FAILED_TEMP' ? no('Nothing is running. Roll back, or call it failed.') : yes;
  }
  return state === 'FAILED_TEMP' ? yes : no('Only for an operation that waits after a failed step.');
}

export const stateWords: Readonly<Record<Operation['state'], string>> = {
  STARTING: 'starting',
  PROCESSING: 'in progress',
  COMPLETED: 'completed',
  FAILED_TEMP: 'waiting for you',
  ROLLING_BACK: 'rolling back',
  ROLLED_BACK: 'rolled back',
  FAILED: 'failed',
};

export const isOver = (state: Operation['state']): boolean =>
  state === 'COMPLETED' || state === 'ROLLED_BACK' || state === 'FAILED';

/** What the server offers already is what this token may. */
export function terminalMay(offer: Pick<TerminalOffer, 'possible' | 'reason'>): Permission {
  if (offer.possible) return yes;
  const reason = offer.reason ?? 'the server does not say why';
  return no(`No terminal: ${reason}.`);
}

export type ServiceVerb = 'move' | 'scale' | 'heal' | 'terminate';

export function serviceMay(
  verb: ServiceVerb,
  service: Pick<ServiceDetail, 'state' | 'busy' | 'unitCount'>,
  sites: readonly Pick<Site, 'name'>[],
): Permission {
  if (service.busy !== undefined) return no('Another operation is under way on this service.');
  if (service.state === 'NOT_INSTANTIATED' && verb !== 'terminate') return no('The service is not deployed.');
  if (verb === 'move' && sites.length < 2) return no('There is no other site. Add one: superfluidity site add');
  if (verb === 'move' && service.unitCount === 0) return no('The service has no units.');
  return yes;
}

export function siteMayHost(
  site: Pick<Site, 'name' | 'healthy'> & { readonly hosts?: readonly { readonly environments: readonly string[] }[] },
  units: readonly { readonly site: string; readonly environment: string }[],
): Permission {
  if (!site.healthy) return no('not healthy');
  if (units.length > 0 && units.every((unit) => unit.site === site.name)) return no('it is there now');
  const lacking = units.find(
    (unit) => site.hosts !== undefined && !site.hosts.some((host) => host.environments.includes(unit.environment)),
  );
  return lacking === undefined ? yes : no(`has no host for environment ${lacking.environment}`);
}

/** SOL005, 5.5.4.3: deleted is what is disabled and not in use. */
export function descriptorMay(
  verb: 'deploy' | 'delete',
  descriptor: Pick<Descriptor, 'operationalState' | 'usageState' | 'onboardingState'>,
): Permission {
  if (verb === 'deploy') {
    if (descriptor.onboardingState !== 'ONBOARDED') return no('It is not onboarded.');
    return descriptor.operationalState === 'ENABLED' ? yes : no('It is disabled. Enable it first.');
  }
  if (descriptor.usageState === 'IN_USE') return no('A service was made from it. Terminate that one first.');
  return descriptor.operationalState === 'DISABLED' ? yes : no('It is enabled. Disable it first.');
}

export function siteMay(verb: 'remove', site: Pick<Site, 'unitCount'>): Permission {
  return site.unitCount === 0
    ? yes
    : no(`${site.unitCount} units run there. Move or terminate them before you ${verb} it.`);
}

/** Nobody takes away the own way in: another admin does. */
export function userMay(
  user: Pick<User, 'name' | 'role' | 'disabled'>,
  users: readonly Pick<User, 'name' | 'role' | 'disabled'>[],
  mine: string | undefined,
): Permission {
  if (user.name === mine) return no('It is you. Another admin can do it.');
  if (user.role === 'reader' || user.disabled) return yes;
  const another = users.some(({ name, role, disabled }) => role === 'admin' && !disabled && name !== user.name);
  return another ? yes : no('It is the only admin.');
}

export function secretMay(verb: 'remove', { usedBy }: Pick<Secret, 'usedBy'>): Permission {
  const [first, ...more] = usedBy;
  if (first === undefined) return yes;
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return no(`The ${first.kind} ${first.name}${others} would not find it any more. Change that before you ${verb} it.`);
}

export function tokenMay(
  token: Pick<Token, 'name' | 'role'>,
  tokens: readonly Pick<Token, 'name' | 'role'>[],
  mine: string | undefined,
): Permission {
  if (token.name === mine) return no('It is the one with which this page was opened.');
  const another = tokens.some(({ name, role }) => role === 'admin' && name !== token.name);
  return another || token.role === 'reader' ? yes : no('It is the only one with the role admin.');
}

/** Deployed is what was planned: what will happen has been seen. */
export function planMay(plan: Pick<Plan, 'verification'> | undefined, planning: boolean): Permission {
  if (plan === undefined) return no(planning ? 'It is being planned.' : 'Plan it first: a plan changes nothing.');
  if (plan.verification?.answer === 'violated') return no('A policy would be violated: the packet is shown below.');
  return yes;
}
