import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../server.ts';
import { type Timing, timing } from '../statistics.ts';

const DRIVER_BENCH = fileURLToPath(new URL('../../drivers/linux/provision.bench.ts', import.meta.url));
const run = promisify(execFile);

/** The driver alone, without the control plane, and the machine's own tools: `runc run`, `ip netns add` with a veth. */
export async function measureDriver(count: number, vms: number): Promise<readonly Timing[]> {
  const args = [DRIVER_BENCH, '--count', String(count), '--vms', String(vms), '--json'];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 24 });
  const { rows } = JSON.parse(stdout) as { readonly rows: readonly Timing[] };
  return rows.map((row) => (/^(runc|ip) /.test(row.what) ? row : { ...row, what: `driver alone: ${row.what}` }));
}

/** Podman without a network of its own, on the machine's own files. Undefined with the reason where it does not work. */
export async function measurePodman(count: number): Promise<Timing | { readonly missing: string }> {
  const folder = temporaryFolder();
  // Limits of its own: the default ones exceed what nested machines allow.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  const storage = ['--root', `${folder.path}/root`, '--runroot', `${folder.path}/run`];
  const args = [...storage, 'run', '--rm', '--network=none', ...limits, '--rootfs', '/:O', 'true'];
  const times: number[] = [];
  try {
    for (let i = -1; i < count; i += 1) {
      const start = performance.now();
      await run('podman', args);
      // The first one makes its database.
      if (i >= 0) times.push(performance.now() - start);
    }
    return timing('podman run --network=none (true)', times);
  } catch (error) {
    return {
      missing: String((error as { stderr?: string }).stderr ?? error)
        .trim()
        .slice(0, 300),
    };
  } finally {
    await run('podman', [...storage, 'system', 'reset', '--force']).catch(() => {});
    folder.remove();
  }
}
