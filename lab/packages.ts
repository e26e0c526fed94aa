import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { SuperfluidityError } from '@superfluidity/core';
import { run } from './command.ts';

/** Installed packages and their versions. */
export async function installedVersions(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const format = '${db:Status-Abbrev}\t${Package}\t${Version}\n';
  // It fails when one of them is unknown, and prints the others.
  const output = await run(['sh', '-c', 'dpkg-query --show --showformat "$0" "$@" || true', format, ...names]);
  return new Map(
    output.split('\n').flatMap((line) => {
      const [status = '', name = '', version = ''] = line.split('\t');
      return status.startsWith('ii') ? [[name, version] as const] : [];
    }),
  );
}

const POLICY = '/usr/sbin/policy-rc.d';
const UPDATE_TIMEOUT_MS = 300_000;
const INSTALL_TIMEOUT_MS = 1_200_000;
/** apt.conf(5): mirrors fail now and then, and another apt may be at work. */
const APT = ['-q', '-y', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300'] as const;

/** Gives the versions of these packages of Debian 12. Rejects with `SF-LAB-PACKAGES` when some are missing and stay so. */
export async function ensurePackages(
  names: readonly string[],
  install: boolean,
  tell: (text: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const before = await installedVersions(names);
  const missing = names.filter((name) => !before.has(name));
  if (missing.length === 0) return before;
  if (!install) {
    throw new SuperfluidityError('SF-LAB-PACKAGES', {
      doing: 'start the laboratory',
      reason: `missing: ${missing.join(' ')}`,
    });
  }
  tell(`installing ${missing.length} packages and what they need`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // policy-rc.d(8): 101 keeps packages from starting what they bring; the laboratory starts its own.
  const policyIsOurs = !existsSync(POLICY);
  if (policyIsOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    // Old lists may do: sources that do not answer are a failure only if a package cannot be had.
    await run(['apt-get', 'update', ...APT], { env, timeoutMs: UPDATE_TIMEOUT_MS }).catch(() => undefined);
    await run(
      ['apt-get', 'install', ...APT, '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...missing],
      { env, timeoutMs: INSTALL_TIMEOUT_MS },
    );
  } catch (error) {
    throw new SuperfluidityError('SF-LAB-PACKAGES', {
      doing: 'install packages',
      reason: error instanceof Error ? error.message : String(error),
      ...(error instanceof SuperfluidityError ? { answer: error.details.answer ?? '' } : {}),
      cause: error,
    });
  } finally {
    if (policyIsOurs) rmSync(POLICY, { force: true });
  }
  return installedVersions(names);
}
