import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { Environment } from '@superfluidity/model';
import { scopeOf } from '@superfluidity/router';
import type { SiteDriver } from '@superfluidity/site';
import { expect } from 'vitest';
import { screenOf } from '../../packages/site/testing/index.ts';
import { linuxDriver } from './index.ts';
import { unitCgroup } from './workload.ts';

/** A linux site with one network and one unit, for tests of terminals. */
export class TerminalTrial {
  readonly timeoutMs = 30_000;
  readonly id = newId('site');
  readonly stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-terminals-'));
  site!: SiteDriver;
  #fence = 0;

  /** The first time, and again after a restart of the control plane. */
  async openSite(): Promise<void> {
    await this.site?.close();
    this.#fence += 1;
    const { id, stateFolder } = this;
    const options = { id, name: 'trial', config: {}, stateFolder, clock: systemClock, log: silentLogger };
    this.site = await linuxDriver.open(options);
    const network = { id: 'net', service: 'svc', name: 'data', prefix: '10.77.1.0/24', supernet: '10.77.0.0/16' };
    await this.site.fabric.ensureNetwork({ ...network, mtu: 1500 }, this.call());
  }

  call() {
    return { key: 'test', fence: this.#fence, signal: AbortSignal.timeout(this.timeoutMs) };
  }

  start(environment: Environment, command: readonly string[] = ['sleep', '1000']) {
    const spec = {
      id: 'unit-a',
      service: 'svc',
      path: 'function/a',
      index: 0,
      host: 'h1',
      execution: { environment, image: 'host:', command },
      cpu: 0.5,
      memoryMiB: 64,
      storageMiB: 1,
      ports: [{ id: 'port-a', name: 'eth0', network: 'net', serviceAddresses: [] }],
      facts: {},
    };
    return this.site.ensureUnit(spec, this.call());
  }

  terminal(...command: readonly string[]) {
    const wish = command.length === 0 ? {} : { command: command as [string, ...string[]] };
    return this.site.terminals!.open('unit-a', { columns: 91, rows: 33, ...wish }, this.call().signal);
  }

  async screen(...command: readonly string[]) {
    return screenOf(await this.terminal(...command));
  }

  async group(): Promise<string> {
    return unitCgroup(scopeOf(this.id), (await this.site.getUnit('unit-a'))!.handles['slot']!);
  }

  async close(): Promise<void> {
    await this.site.purge();
    await this.site.close();
    rmSync(this.stateFolder, { recursive: true, force: true });
  }
}

/** Processes whose command line begins with these words. */
export function running(words: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').startsWith(words)
      );
    } catch {
      // It ended while we looked.
      return false;
    }
  });
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries += 1) await systemClock.sleep(10);
  expect(condition()).toBe(true);
}
