import { readFileSync } from 'node:fs';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { inNamespace, type NamespaceName, writeFileInNamespace } from './namespaces.ts';

let folder = '/proc/sys';

/** Containers have `/proc/sys` for reading alone: another place at which the same is mounted. */
export function useSysctlsOf(path: string): void {
  folder = path;
}

/** `net.ipv4.ip_forward` and its relatives. A device name may contain dots: write those keys with slashes. */
function pathOf(key: string): string {
  const parts = key.includes('/') ? key.split('/') : key.split('.');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new SuperfluidityError('SF-LINUX-BAD-NAME', {
      doing: `use sysctl ${JSON.stringify(key)}`,
      reason: 'not a key',
    });
  }
  return `${folder}/${parts.join('/')}`;
}

function guarded<T>(doing: string, request: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SuperfluidityError || !(cause instanceof Error)) throw cause;
    const errno = 'code' in cause ? cause.code : undefined;
    throw new SuperfluidityError('SF-LINUX-SYSCALL', {
      doing,
      reason: cause.message,
      request,
      answer: cause.message,
      data: { errno },
      cause,
    });
  }
}

export function readSysctl(namespace: NamespaceName, key: string): string {
  const path = pathOf(key);
  return guarded(`read sysctl ${key}`, `read ${path}`, () =>
    inNamespace(namespace, () => readFileSync(path, 'utf8')),
  ).trim();
}

export function writeSysctl(namespace: NamespaceName, key: string, value: string | number): void {
  const path = pathOf(key);
  guarded(`set sysctl ${key} = ${value}`, `write ${value} to ${path}`, () =>
    writeFileInNamespace(namespace, path, String(value)),
  );
}

/** In the order given; stops at the first refusal. */
export function writeSysctls(namespace: NamespaceName, values: Readonly<Record<string, string | number>>): void {
  for (const [key, value] of Object.entries(values)) writeSysctl(namespace, key, value);
}
