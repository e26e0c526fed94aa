import { spawn } from 'node:child_process';
import { type NamespaceName, namespacePath } from '@superfluidity/netlink';
import { LIMITS } from './limits.ts';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program in the network of the node. `code` is null where it did not end in time, or said too much. Rejects where it cannot be started. */
export function runOnNode(
  namespace: NamespaceName,
  [program, ...args]: readonly [string, ...string[]],
  input = '',
): Promise<Outcome> {
  const argv = [program, ...args];
  const [command, ...rest] =
    namespace === undefined ? argv : ['nsenter', `--net=${namespacePath(namespace)}`, '--', ...argv];
  return new Promise((resolve, reject) => {
    const child = spawn(command!, rest, { timeout: LIMITS.programMs, killSignal: 'SIGKILL' });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > LIMITS.outputBytes) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < 4_096) stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    // One that has ended does not read.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
