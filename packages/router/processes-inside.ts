import { readdirSync, statSync } from 'node:fs';
import { systemClock } from '@superfluidity/core';
import { namespaceExists, namespaceInode } from '@superfluidity/netlink';
import { killProcess, type ProcessRef, processRef, waitForExit } from './processes.ts';

const EXIT_TIMEOUT_MS = 5000;

/** Every process whose network namespace is one of these: whoever started it and whatever became of its parent. */
export function processesInside(namespaces: readonly string[]): readonly ProcessRef[] {
  const inodes = new Set(namespaces.filter((name) => namespaceExists(name)).map((name) => namespaceInode(name)));
  if (inodes.size === 0) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return inodes.has(statSync(`/proc/${pid}/ns/net`).ino);
      } catch {
        // It ended while we looked.
        return false;
      }
    })
    .map((pid) => processRef(Number(pid)))
    .filter((found) => found !== undefined);
}

/** A control plane enters namespaces for an instant to set them up: it is not meant. */
const VISIT_MS = 20;

export async function killInside(
  namespaces: readonly string[],
  spare: (target: ProcessRef) => boolean = () => false,
): Promise<readonly number[]> {
  const visitors = processesInside(namespaces).filter((target) => !spare(target));
  if (visitors.length === 0) return [];
  await systemClock.sleep(VISIT_MS);
  const residents = new Set(visitors.map(({ pid }) => pid));
  const found = processesInside(namespaces).filter(({ pid }) => residents.has(pid));
  for (const target of found) killProcess(target, 'SIGKILL');
  await Promise.all(found.map((target) => waitForExit(target, EXIT_TIMEOUT_MS)));
  return found.map(({ pid }) => pid);
}
