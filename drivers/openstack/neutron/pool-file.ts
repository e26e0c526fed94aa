import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shortName, SuperfluidityError } from '@superfluidity/core';
import type { PoolClass } from '@superfluidity/site';

interface Content {
  readonly id: string;
  readonly services: Readonly<Record<string, readonly PoolClass[]>>;
}

/**
 * What a control plane remembers of its pools at a site, in its state folder: what they are to hold, and a name by which it
 * knows the ports in them from those of another control plane, of which it cannot know whom they were promised to.
 */
export class PoolFile {
  readonly id: string;
  readonly #path: string;
  #services: ReadonlyMap<string, readonly PoolClass[]>;

  constructor(siteId: string, stateFolder: string) {
    this.#path = join(stateFolder, `${shortName('openstack-', siteId, 20)}.pools.json`);
    const found = this.#read();
    this.id = found?.id ?? randomUUID().slice(0, 8);
    this.#services = new Map(Object.entries(found?.services ?? {}));
    if (found === undefined) this.#write();
  }

  get classes(): readonly PoolClass[] {
    return [...this.#services.values()].flat();
  }

  set(service: string, classes: readonly PoolClass[]): void {
    const services = new Map(this.#services);
    if (classes.length === 0) services.delete(service);
    else services.set(service, classes);
    this.#services = services;
    this.#write();
  }

  #read(): Content | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return undefined;
    }
    // Replaced at once, the file is whole.
    return JSON.parse(text) as Content;
  }

  #write(): void {
    const content: Content = { id: this.id, services: Object.fromEntries(this.#services) };
    const draft = `${this.#path}.new`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
      renameSync(draft, this.#path);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const request = `write ${this.#path}`;
      throw new SuperfluidityError('SF-CLOUD-STATE', { doing: 'write down what pools hold', reason, request, cause });
    }
  }
}
