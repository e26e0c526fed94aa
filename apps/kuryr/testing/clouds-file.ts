import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authWords } from '@superfluidity/openstack/testing';
import type { OwnNetwork } from './own-network.ts';

const VARIABLE = 'OS_CLIENT_CONFIG_FILE';

/** A clouds.yaml, for nobody else's eyes, by which controllers in this process find the cloud of a test. */
export class CloudsFile implements Disposable {
  /** What it is called there. */
  static readonly cloud = 'own';
  readonly #folder = mkdtempSync(join(tmpdir(), 'superfluidity-clouds-'));
  readonly #before = process.env[VARIABLE];

  /** `neutron`: where it is reached, where that is not where the catalogue says. */
  constructor({ project }: OwnNetwork, neutron?: string) {
    const elsewhere = neutron === undefined ? {} : { network_endpoint_override: neutron };
    const clouds = { [CloudsFile.cloud]: { auth: authWords(project.config), ...elsewhere } };
    const path = join(this.#folder, 'clouds.yaml');
    // JSON is YAML.
    writeFileSync(path, JSON.stringify({ clouds }), { mode: 0o600 });
    process.env[VARIABLE] = path;
  }

  [Symbol.dispose](): void {
    if (this.#before === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = this.#before;
    rmSync(this.#folder, { recursive: true });
  }
}
