import { run } from '../command.ts';
import { kubectl, type Lab, labPaths } from './lab.ts';
import { savedLab, statusOf } from './status.ts';

/** For tests that talk to the laboratory. */

/** The laboratory when it runs, or why not: tests are skipped with that in their title. */
export type LabFound =
  | { readonly lab: Lab; readonly reason?: undefined }
  | { readonly lab?: undefined; readonly reason: string };

export function findLab(nodes = 1): LabFound {
  const paths = labPaths();
  const lab = savedLab(paths);
  if (lab === undefined || !statusOf(paths).up) return { reason: 'needs the laboratory: npm run test:kubernetes' };
  if (lab.options.nodes < nodes) return { reason: `needs a laboratory with ${nodes} nodes` };
  return { lab };
}

/** A namespace of one test, which is removed with all that is in it. */
export class TestNamespace {
  readonly name: string;
  readonly #lab: Lab;

  static async open(lab: Lab, prefix: string): Promise<TestNamespace> {
    const name = `${prefix}-${Date.now().toString(36)}`;
    await run(kubectl(lab, 'create', 'namespace', name));
    return new TestNamespace(lab, name);
  }

  constructor(lab: Lab, name: string) {
    this.#lab = lab;
    this.name = name;
  }

  /** The output of `kubectl`, in this namespace. */
  kubectl(...args: readonly string[]): Promise<string> {
    return run(kubectl(this.#lab, '--namespace', this.name, ...args), { timeoutMs: 150_000 });
  }

  async apply(object: unknown): Promise<void> {
    const input = JSON.stringify(object);
    await run(kubectl(this.#lab, '--namespace', this.name, 'apply', '--server-side', '-f', '-'), { input });
  }

  /** With everything that is in it. */
  async close(): Promise<void> {
    await run(kubectl(this.#lab, 'delete', 'namespace', this.name, '--wait=true', '--timeout=100s'), {
      timeoutMs: 120_000,
    });
  }
}
