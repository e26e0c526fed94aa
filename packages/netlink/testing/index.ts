import { execFileSync } from 'node:child_process';
import { createNamespace, deleteNamespace } from '../namespaces.ts';

/** Helpers of the tests of this driver. */

function has(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Why the kernel tests cannot run here: named in the title of what is skipped. */
export function missingForKernelTests(programs: readonly string[] = ['ip']): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const absent = programs.filter((program) => !has(program));
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}`;
}

/** Title with the reason of the absence, for `describe.skipIf(reason !== undefined)`. */
export function titled(title: string, reason: string | undefined): string {
  return reason === undefined ? title : `${title} (skipped: ${reason})`;
}

let count = 0;

/** Namespaces of one test, gone after it whatever happens. */
export class TestNamespaces implements Disposable {
  readonly #names: string[] = [];

  create(): string {
    count += 1;
    const name = `sft-${process.pid}-${Date.now() % 1e6}-${count}`;
    createNamespace(name);
    this.#names.push(name);
    return name;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) deleteNamespace(name);
  }
}

/** What `ip -j` of iproute2 says: an oracle that shares no code with ours. */
export function ipJson(namespace: string, ...args: readonly string[]): readonly Record<string, unknown>[] {
  const text = execFileSync('ip', ['-n', namespace, '-j', '-d', ...args], { encoding: 'utf8' });
  return text.trim() === '' ? [] : JSON.parse(text);
}
