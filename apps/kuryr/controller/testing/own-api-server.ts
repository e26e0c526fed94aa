import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@superfluidity/core';
import { run } from '../../../../lab/command.ts';
import { binariesFolder } from '../../../../lab/kubernetes/binaries.ts';
import { kubectl, type Lab, labPaths } from '../../../../lab/kubernetes/lab.ts';
import { defaultOptions } from '../../../../lab/kubernetes/options.ts';
import { kill } from '../../testing/kill.ts';

const ETCD = '/usr/bin/etcd';
const START_MS = 180_000;
const LOOK_MS = 500;

export function missingForOwnApiServer(): string | undefined {
  const absent = [ETCD, join(binariesFolder(), 'kube-apiserver')].filter((path) => !existsSync(path));
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}: npm run lab -- kubernetes up`;
}

/** An etcd and an API server of one test, which may do to them what it likes: without nodes, controllers and roles. */
export class OwnApiServer {
  /** As far as kubectl needs one. */
  readonly lab: Lab;
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  #store = '';
  #apiArguments: Readonly<Record<string, string>> = {};

  static async start(): Promise<OwnApiServer> {
    const server = new OwnApiServer(mkdtempSync(join(tmpdir(), 'superfluidity-api-')));
    try {
      await server.#start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    const paths = { ...labPaths(folder), adminConfig: join(folder, 'admin.kubeconfig') };
    this.lab = { options: defaultOptions(), paths, bin: binariesFolder() };
  }

  /** It answers nobody until it goes on. */
  pauseStore(): void {
    this.#children[0]!.kill('SIGSTOP');
  }

  resumeStore(): void {
    this.#children[0]!.kill('SIGCONT');
  }

  /** As a fault would end it; its store goes on. */
  async killApi(): Promise<void> {
    await kill(this.#children.pop()!);
  }

  async startApi(): Promise<void> {
    this.#spawn(join(this.lab.bin, 'kube-apiserver'), this.#apiArguments);
    for (const deadline = performance.now() + START_MS; ; ) {
      try {
        await run(kubectl(this.lab, 'get', '--raw', '/readyz'));
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await systemClock.sleep(LOOK_MS);
      }
    }
  }

  /** The store forgets all versions but the present one. */
  async forgetVersions(): Promise<void> {
    const { header } = (await this.#askStore('/v3/maintenance/status', {})) as { header: { revision: string } };
    await this.#askStore('/v3/kv/compaction', { revision: header.revision, physical: true });
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await kill(child);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const at = (name: string) => join(this.#folder, name);
    const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
    const [store, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    mkdirSync(at('certificates'), { mode: 0o700 });
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const token = randomUUID();
    const secret = (name: string, text: string) => writeFileSync(at(name), text, { mode: 0o600 });
    secret('account.key', keys.privateKey);
    secret('account.pub', keys.publicKey);
    secret('tokens.csv', `${token},admin,1,system:masters\n`);
    secret('admin.kubeconfig', kubeconfig(`https://127.0.0.1:${secure}`, at('certificates/apiserver.crt'), token));
    this.#store = store;
    this.#spawn(ETCD, {
      'data-dir': at('store'),
      'listen-client-urls': store,
      'advertise-client-urls': store,
      'listen-peer-urls': peers,
      'initial-advertise-peer-urls': peers,
      'initial-cluster': `default=${peers}`,
    });
    this.#apiArguments = {
      'etcd-servers': store,
      'bind-address': '127.0.0.1',
      'secure-port': String(secure),
      'cert-dir': at('certificates'),
      'token-auth-file': at('tokens.csv'),
      'authorization-mode': 'RBAC',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': at('account.pub'),
      'service-account-signing-key-file': at('account.key'),
      'service-cluster-ip-range': '10.96.0.0/16',
      // Nobody makes accounts.
      'disable-admission-plugins': 'ServiceAccount',
    };
    await this.startApi();
  }

  async #askStore(path: string, body: object): Promise<unknown> {
    const answer = await fetch(`${this.#store}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  }

  #spawn(program: string, args: Readonly<Record<string, string>>): void {
    const argv = Object.entries(args).map(([name, value]) => `--${name}=${value}`);
    this.#children.push(spawn(program, argv, { stdio: 'ignore', cwd: this.#folder }));
  }
}

const kubeconfig = (server: string, authority: string, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'own', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'own', user: { token } }],
    contexts: [{ name: 'own', context: { cluster: 'own', user: 'own' } }],
    'current-context': 'own',
  });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
