import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import { checkFence } from '@superfluidity/site';
import { replaceFile } from '@superfluidity/netlink';
import type { Scope } from './scope.ts';
import './errors.ts';

/**
 * Which control plane is in charge of the site, and the highest fence that it has shown. It lies beside the facts of the
 * site and is looked at before every change, so that a control plane that was replaced while it slept notices, and one
 * that takes over reads what its predecessor left. A reboot removes it with everything that it protects.
 */
interface Lease {
  readonly fence: number;
  readonly owner: string;
}

export class LeaseFile {
  readonly #site: string;
  readonly #scope: Scope;
  readonly #me = randomUUID();
  /** In memory too: purging a site does not let a replaced caller in again. */
  #highest = Number.NEGATIVE_INFINITY;

  constructor(site: string, scope: Scope) {
    this.#site = site;
    this.#scope = scope;
  }

  get owner(): string | undefined {
    return this.#read()?.owner;
  }

  get mine(): boolean {
    return this.#read()?.owner === this.#me;
  }

  /** True when we were in charge already; false when everything has to be read anew. Throws `SF-SITE-FENCED`. */
  claim(call: Pick<FabricCall, 'key' | 'fence'>): boolean {
    const lease = this.#read();
    this.#highest = Math.max(this.#highest, lease?.fence ?? Number.NEGATIVE_INFINITY);
    checkFence(this.#site, this.#highest, call);
    const mine = lease?.owner === this.#me;
    if (!mine || lease.fence !== call.fence) this.#write({ fence: call.fence, owner: this.#me });
    this.#highest = call.fence;
    return mine;
  }

  #path(): string {
    return join(this.#scope.folder, 'lease.json');
  }

  #read(): Lease | undefined {
    try {
      return JSON.parse(readFileSync(this.#path(), 'utf8')) as Lease;
    } catch {
      // Replaced at once, it is whole or absent.
      return undefined;
    }
  }

  #write(lease: Lease): void {
    const path = this.#path();
    try {
      mkdirSync(this.#scope.folder, { recursive: true, mode: 0o700 });
      replaceFile(path, JSON.stringify(lease), `${path}.${this.#me}`);
    } catch (cause) {
      const answer = cause instanceof Error ? cause.message : String(cause);
      throw new SuperfluidityError('SF-LINUX-STATE', {
        doing: `take charge of site ${this.#site}`,
        reason: answer,
        request: `write ${path}`,
        answer,
        cause,
      });
    }
  }
}
