import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@superfluidity/core';
import { deleteNamespace, listNamespaces, namespaceExists } from '@superfluidity/netlink';
import {
  isAlive,
  PROBE_PREFIX,
  processRef,
  purgeScope,
  RUN_FOLDER,
  scopeOfKey,
  type SiteRecord,
} from '@superfluidity/router';

/** What is on this machine and belongs to nobody any more: for who has lost a control plane with its state. */
export type Orphan = OrphanSite | OrphanProbe;

interface OrphanSite {
  readonly kind: 'site';
  /** What the names of the site's things have in common. */
  readonly key: string;
  readonly site?: SiteRecord;
  /**
   * lost: the state of its control plane is gone, nobody can ever take it up again. stopped: its control plane does not
   * run, and finds everything again when it is started.
   */
  readonly state: 'lost' | 'stopped';
  readonly reason: string;
}

/** Left by a control plane that was killed while it tried what the kernel can do. */
interface OrphanProbe {
  readonly kind: 'probe';
  readonly namespace: string;
  readonly state: 'lost';
  readonly reason: string;
}

/** A control plane that is just being started takes its lease before it writes down who it is. */
const NAMELESS_MS_MIN = 60_000;

export function findOrphans(): readonly Orphan[] {
  const namespaces = listNamespaces();
  const folders = existsSync(RUN_FOLDER) ? readdirSync(RUN_FOLDER) : [];
  const keys = new Set([
    ...folders.filter((name) => /^[0-9a-z]{10}$/.test(name)),
    ...namespaces.flatMap((name) => /^sf-([0-9a-z]{10})-/.exec(name)?.[1] ?? []),
  ]);
  return [
    ...[...keys].toSorted().flatMap((key) => judge(key) ?? []),
    ...namespaces.flatMap((name) => judgeProbe(name) ?? []),
  ];
}

function judge(key: string): OrphanSite | undefined {
  const { folder } = scopeOfKey(key);
  const site = readSite(folder);
  if (site === undefined) {
    const ageMs = existsSync(folder) ? Date.now() - statSync(folder).mtimeMs : Infinity;
    const reason = 'nothing says which site it was';
    return ageMs < NAMELESS_MS_MIN ? undefined : { kind: 'site', key, state: 'lost', reason };
  }
  if (site.process !== undefined && isAlive(site.process)) return undefined;
  if (!existsSync(site.stateFolder)) {
    return { kind: 'site', key, site, state: 'lost', reason: `its state folder ${site.stateFolder} is gone` };
  }
  const reason = site.process === undefined ? 'nothing says who runs it' : `process ${site.process.pid} ended`;
  return { kind: 'site', key, site, state: 'stopped', reason };
}

function readSite(folder: string): SiteRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'site.json'), 'utf8')) as SiteRecord;
  } catch {
    return undefined;
  }
}

function judgeProbe(namespace: string): OrphanProbe | undefined {
  const pid = namespace.startsWith(PROBE_PREFIX) ? /^\d+/.exec(namespace.slice(PROBE_PREFIX.length))?.[0] : undefined;
  if (pid === undefined || processRef(Number(pid)) !== undefined) return undefined;
  return { kind: 'probe', namespace, state: 'lost', reason: `process ${pid} ended` };
}

/** Returns what was there. Nothing is touched when somebody has taken it up since it was found. */
export async function purgeOrphan(orphan: Orphan, log: Logger): Promise<readonly string[]> {
  if (orphan.kind === 'probe') {
    if (!namespaceExists(orphan.namespace) || judgeProbe(orphan.namespace) === undefined) return [];
    deleteNamespace(orphan.namespace);
    return [`namespace ${orphan.namespace}`];
  }
  if (judge(orphan.key)?.state !== orphan.state) return [];
  return purgeScope(scopeOfKey(orphan.key, orphan.site?.id), log);
}
