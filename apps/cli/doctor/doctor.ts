import { append, type ErrorReport, reportError, SuperfluidityError } from '@superfluidity/core';
import { fetchGuestKernel, guestCacheFolder } from '@superfluidity/driver-linux/guest';
import type { DriverKind } from '@superfluidity/site';
import './errors.ts';
import type { Machine } from './machine.ts';
import { type Need, needs } from './needs.ts';

export interface Diagnosis {
  readonly name: string;
  readonly present: boolean;
  readonly neededFor: string;
  readonly use: Need['use'];
  readonly package?: string;
  /** Why it is thought to be missing. */
  readonly reason?: string;
}

export interface Treatment {
  readonly installed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: ErrorReport }[];
}

/** Whom to ask what the kernel lacks: drivers know what they need of it. */
export type Probe = Pick<DriverKind, 'kind' | 'missing'>;

const UPDATE_TIMEOUT_MS = 180_000;
const INSTALL_TIMEOUT_MS = 600_000;
/** apt.conf(5): mirrors fail now and then, and another apt may be at work. */
const APT_OPTIONS = ['-q', '-y', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120'] as const;

/** How the guest kernel is had: a package that is unpacked, not installed. */
export type FetchKernel = () => Promise<unknown>;

/** What is there and what is not. Programs are looked for; what drivers miss beyond those they say themselves. */
export async function examine(machine: Machine, probes: readonly Probe[] = []): Promise<readonly Diagnosis[]> {
  const found = needs.map((need): Diagnosis => {
    const present = need.present(machine);
    return {
      name: need.name,
      present,
      neededFor: need.neededFor,
      use: need.use,
      ...(need.package === undefined ? {} : { package: need.package }),
      ...(present ? {} : { reason: 'not found' }),
    };
  });
  const known = new Set(needs.flatMap((need) => [need.name, need.package ?? need.name]));
  const missed = await Promise.all(
    probes.map(async ({ kind, missing }) =>
      (await missing())
        .filter(({ name, package: packageName = name }) => !known.has(name) && !known.has(packageName))
        .map(
          (capability): Diagnosis => ({
            name: capability.name,
            present: false,
            neededFor: `${kind} sites: ${capability.neededFor}`,
            use: capability.required ? 'run' : 'extra',
            reason: capability.reason,
            ...(capability.package === undefined ? {} : { package: capability.package }),
          }),
        ),
    ),
  );
  return [...found, ...missed.flat()];
}

/** Well enough to run: nothing is missing that the product itself uses. */
export function isHealthy(diagnoses: readonly Diagnosis[]): boolean {
  return diagnoses.every(({ present, use }) => present || use !== 'run');
}

/**
 * Installs what is missing and has a package; what is nice to have only with `extras`. One package that cannot be had
 * does not keep the others away.
 */
export async function treat(
  machine: Machine,
  diagnoses: readonly Diagnosis[],
  extras: boolean,
  fetchKernel: FetchKernel = () => fetchGuestKernel(guestCacheFolder()),
): Promise<Treatment> {
  const missing = diagnoses.filter(({ present, use }) => !present && (extras || use !== 'extra'));
  const packages = [...new Set(missing.flatMap((one) => one.package ?? []))];
  const kernel = missing.some(({ name }) => name === 'guest kernel');
  if (packages.length === 0 && !kernel) return { installed: [], failed: [] };
  const doing = 'install packages';
  if (!machine.debian) throw new SuperfluidityError('SF-DOCTOR-SYSTEM', { doing, reason: 'there is no apt-get here' });
  if (!machine.root) throw new SuperfluidityError('SF-DOCTOR-ROOT', { doing, reason: 'this user is not root' });

  const installed: string[] = [];
  const failed: { name: string; error: ErrorReport }[] = [];
  const attempt = async (name: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      installed.push(name);
      return true;
    } catch (error) {
      failed.push({ name, error: reportError(error) });
      return false;
    }
  };
  const install = (...names: readonly string[]) =>
    machine.run(['apt-get', 'install', ...APT_OPTIONS, '--no-install-recommends', ...names], {
      timeoutMs: INSTALL_TIMEOUT_MS,
    });

  // Old lists may do: sources that do not answer are a failure only if a package cannot be had.
  await machine.run(['apt-get', 'update', ...APT_OPTIONS], { timeoutMs: UPDATE_TIMEOUT_MS }).catch(() => undefined);
  if (packages.length > 0) {
    const all = await install(...packages).catch(() => undefined);
    if (all !== undefined) append(installed, packages);
    else for (const name of packages) await attempt(name, () => install(name));
  }
  if (kernel) await attempt('guest kernel', fetchKernel);
  return { installed, failed };
}
