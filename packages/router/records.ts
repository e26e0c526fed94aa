import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, shortName, SuperfluidityError } from '@superfluidity/core';
import { replaceFile } from '@superfluidity/netlink';
import './errors.ts';

/**
 * Facts of one kind that outlive the control plane: one small JSON file each, replaced atomically, with a copy in
 * memory that is what everybody reads. They live in /run, hence exactly as long as the kernel objects they speak of.
 */
export class Records<T> {
  readonly #folder: string;
  readonly #values = new Map<string, T>();

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = join(folder, name);
      // Others are drafts of a writer that was interrupted, or is at work.
      if (!name.endsWith('.json')) continue;
      try {
        const { id, value } = JSON.parse(readFileSync(path, 'utf8')) as { id: string; value: T };
        this.#values.set(id, value);
      } catch (error) {
        // Replaced at once, a file is whole or somebody else wrote it.
        log.warn({ path, error: String(error) }, 'ignored a record that cannot be read');
      }
    }
  }

  get(id: string): T | undefined {
    return this.#values.get(id);
  }

  entries(): readonly (readonly [string, T])[] {
    return [...this.#values];
  }

  values(): readonly T[] {
    return [...this.#values.values()];
  }

  get size(): number {
    return this.#values.size;
  }

  put(id: string, value: T): void {
    const path = this.#path(id);
    const draft = `${path.slice(0, -'.json'.length)}.new`;
    try {
      if (this.#values.size === 0) mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      replaceFile(path, JSON.stringify({ id, value }), draft);
    } catch (cause) {
      rmSync(draft, { force: true });
      const answer = cause instanceof Error ? cause.message : String(cause);
      throw new SuperfluidityError('SF-LINUX-STATE', {
        doing: `write down ${id}`,
        reason: answer,
        request: `write ${path}`,
        answer,
        cause,
      });
    }
    this.#values.set(id, value);
  }

  delete(id: string): void {
    rmSync(this.#path(id), { force: true });
    this.#values.delete(id);
  }

  #path(id: string): string {
    return join(this.#folder, `${shortName('', id)}.json`);
  }
}

/** Removes what writers that were killed left half written. For the one in charge: others are not writing then. */
export function clearDrafts(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const name of readdirSync(join(folder, entry.name))) {
      if (name.endsWith('.new')) rmSync(join(folder, entry.name, name), { force: true });
    }
  }
}
