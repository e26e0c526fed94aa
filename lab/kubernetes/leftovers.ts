import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../command.ts';
import { processesWith } from '../processes.ts';
import { cgroupOf, type Lab, nodesOf } from './lab.ts';
import { cgroupHierarchies } from './node.ts';

/**
 * Pods go on without kubelet and containerd, as they should. When the whole laboratory goes down they end as if the nodes
 * had lost their power; kubelets make them anew at the next start.
 */

const ENDED_WITHIN_MS = 5_000;
const POLL_MS = 50;
const CGROUPS = '/sys/fs/cgroup';

/** Network namespaces of pods: containerd knows them, and does not remove them when it ends. */
export function sandboxNamespaces(lab: Lab): readonly string[] {
  const found = nodesOf(lab).flatMap(({ name }) => {
    const bundles = join(lab.paths.run, name, 'containerd/io.containerd.runtime.v2.task/k8s.io');
    if (!existsSync(bundles)) return [];
    return readdirSync(bundles).flatMap((id) => namespaceOfBundle(join(bundles, id, 'config.json')));
  });
  return [...new Set(found)];
}

function namespaceOfBundle(file: string): readonly string[] {
  try {
    const { linux } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly linux?: { readonly namespaces?: readonly { readonly type: string; readonly path?: string }[] };
    };
    const path = linux?.namespaces?.find(({ type }) => type === 'network')?.path;
    return path?.startsWith('/var/run/netns/cni-') || path?.startsWith('/run/netns/cni-') ? [path] : [];
  } catch {
    return [];
  }
}

export async function removeLeftovers(lab: Lab, sandboxes: readonly string[]): Promise<void> {
  const groups = cgroupHierarchies().map((hierarchy) => join(CGROUPS, hierarchy, cgroupOf(lab.paths)));
  await endAll(() => groups.flatMap(processesBelow));
  // They name the socket of their containerd.
  await endAll(() => nodesOf(lab).flatMap(({ containerd }) => processesWith(containerd)));
  for (const path of sandboxes) {
    await run(['umount', path]).catch(() => undefined);
    rmSync(path, { force: true });
  }
  for (const path of mountsBelow(lab.paths.folder)) await run(['umount', '--lazy', path]).catch(() => undefined);
  for (const group of groups) removeGroup(group);
  // What is in there belongs to pods that have ended.
  for (const { name } of nodesOf(lab)) rmSync(join(lab.paths.run, name), { recursive: true, force: true });
}

async function endAll(find: () => readonly number[]): Promise<void> {
  const deadline = performance.now() + ENDED_WITHIN_MS;
  for (let pids = find(); pids.length > 0 && performance.now() < deadline; pids = find()) {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(POLL_MS);
  }
}

function groupsBelow(group: string): readonly string[] {
  if (!existsSync(group)) return [];
  const below = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...below.flatMap(({ name }) => groupsBelow(join(group, name))), group];
}

function processesBelow(group: string): readonly number[] {
  return groupsBelow(group).flatMap((one) =>
    readFileSync(join(one, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
  );
}

function removeGroup(group: string): void {
  for (const one of groupsBelow(group)) {
    try {
      rmdirSync(one);
    } catch {
      // A process that cannot be killed is in it; the next `down` tries again.
    }
  }
}

/** The innermost first (proc(5), mountinfo; spaces in paths are written as \040). */
function mountsBelow(folder: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((path) => path.startsWith(`${folder}/`))
    .toReversed();
}
