import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { labEnvironment } from '../command.ts';
import { labCacheFolder, writeFile } from '../paths.ts';

/** The last release line that runs on the first version of control groups without being told to. */
export const KUBERNETES_VERSION = '1.34.4';
export const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'] as const;

/** Of Go 1.24, as Kubernetes above. */
const HELM_VERSION = '3.19.5';

const BUILD_TIMEOUT_MS = 3_600_000;
const DOWNLOAD_TIMEOUT_MS = 600_000;
const ANSWER_CHARACTERS_MAX = 2_000;

/** The folder of the programs: `KUBE_BIN`, or the cache, where they are built once. Rejects with `SF-LAB-PACKAGES`. */
export async function ensureBinaries(tell: (text: string) => void): Promise<string> {
  const bin = binariesFolder();
  const missing = PROGRAMS.filter((program) => !existsSync(join(bin, program)));
  if (missing.length === 0) return bin;
  if (process.env['KUBE_BIN']) {
    throw new SuperfluidityError('SF-LAB-PACKAGES', {
      doing: 'find the programs of Kubernetes',
      reason: `KUBE_BIN is ${bin}, and there is no ${missing.join(', ')}`,
      hint: 'Name a folder that has them all, or leave KUBE_BIN out: then they are built.',
    });
  }
  tell(`building Kubernetes ${KUBERNETES_VERSION}, once; it takes ten minutes or more`);
  await build(bin, tell);
  return bin;
}

/** Path of Helm: `HELM`, or the cache, where it is built once. Rejects with `SF-LAB-COMMAND`. */
export async function ensureHelm(): Promise<string> {
  const own = process.env['HELM'];
  if (own) return own;
  const folder = join(labCacheFolder(), 'helm', `v${HELM_VERSION}`);
  const program = join(folder, 'bin/helm');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const draft = `${folder}/bin.${process.pid}.partial`;
  try {
    const install = ['install', '-trimpath', '-ldflags', '-s -w', `helm.sh/helm/v3/cmd/helm@v${HELM_VERSION}`];
    await go(install, folder, BUILD_TIMEOUT_MS, { GOBIN: draft });
    renameSync(draft, join(folder, 'bin'));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return program;
}

export function binariesFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['KUBE_BIN'] || join(labCacheFolder(env), 'kubernetes', `v${KUBERNETES_VERSION}`, 'bin');
}

/**
 * `go install` refuses a module whose go.mod replaces others, as that of Kubernetes does with what it publishes beside
 * itself. A module of our own that names the published ones has the same sources.
 */
async function build(bin: string, tell: (text: string) => void): Promise<void> {
  const source = join(labCacheFolder(), 'kubernetes', `v${KUBERNETES_VERSION}`, 'source');
  const module = `k8s.io/kubernetes@v${KUBERNETES_VERSION}`;
  writeFile(join(source, 'go.mod'), goModule('1.24.0', []));
  tell(`downloading ${module}`);
  const download = await go(['mod', 'download', '-json', module], source, DOWNLOAD_TIMEOUT_MS);
  const { GoMod: original } = JSON.parse(download) as { readonly GoMod: string };
  const text = readFileSync(original, 'utf8');
  const language = /^go (\S+)$/m.exec(text)?.[1] ?? '1.24.0';
  writeFile(join(source, 'go.mod'), goModule(language, stagingModules(text)));
  writeFile(join(source, 'commands.go'), commands());
  const draft = `${bin}.${process.pid}.partial`;
  mkdirSync(draft, { recursive: true });
  try {
    const packages = PROGRAMS.map((program) => `k8s.io/kubernetes/cmd/${program}`);
    await go(
      ['build', '-trimpath', '-ldflags', linkerFlags(), '-o', `${draft}/`, ...packages],
      source,
      BUILD_TIMEOUT_MS,
    );
    rmSync(bin, { recursive: true, force: true });
    renameSync(draft, bin);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Modules that Kubernetes has in its own tree: `k8s.io/api => ./staging/src/k8s.io/api`. */
export function stagingModules(goMod: string): readonly string[] {
  return [...goMod.matchAll(/^\s*(\S+) => \.\/staging\/src\/\1$/gm)].map((match) => match[1]!);
}

/** The published modules of 1.34.4 are called 0.34.4. */
export function goModule(language: string, staging: readonly string[]): string {
  const published = `v0.${KUBERNETES_VERSION.split('.').slice(1).join('.')}`;
  return [
    'module superfluidity.test/kubernetes',
    `go ${language}`,
    `godebug default=go${language.split('.').slice(0, 2).join('.')}`,
    `require k8s.io/kubernetes v${KUBERNETES_VERSION}`,
    ...staging.map((name) => `replace ${name} => ${name} ${published}`),
    '',
  ].join('\n');
}

function commands(): string {
  const imports = PROGRAMS.map((program) => `\t_ "k8s.io/kubernetes/cmd/${program}"`);
  return ['//go:build tools', '', 'package commands', '', 'import (', ...imports, ')', ''].join('\n');
}

/** Without these a program says that it is of version 0.0.0, and others refuse to work with it. */
function linkerFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.split('.');
  const values = { gitVersion: `v${KUBERNETES_VERSION}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const set = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...set].join(' ');
}

/** With the user's own environment: proxies, caches and mirrors of modules are set there. */
async function go(
  args: readonly string[],
  folder: string,
  timeoutMs: number,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const fail = (reason: string, answer: string): never => {
    throw new SuperfluidityError('SF-LAB-COMMAND', {
      doing: 'build programs',
      reason,
      request: `go ${args.join(' ')}`,
      answer: answer.slice(-ANSWER_CHARACTERS_MAX),
      hint: 'It needs Go 1.24 or later in PATH and its proxy of modules; or name a folder with the programs in KUBE_BIN, and Helm in HELM.',
    });
  };
  const { PATH = '', ...plain } = process.env;
  const child = spawn('nice', ['-n', '10', 'go', ...args], {
    cwd: folder,
    timeout: timeoutMs,
    env: {
      ...labEnvironment(),
      ...plain,
      PATH: `${PATH}:/usr/local/go/bin`,
      CGO_ENABLED: '0',
      GOFLAGS: `${plain['GOFLAGS'] ?? ''} -mod=mod`.trim(),
      GOWORK: 'off',
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-ANSWER_CHARACTERS_MAX);
  });
  const [code, signal] = (await once(child, 'close').catch((error: unknown) => fail(String(error), ''))) as [
    number | null,
    string | null,
  ];
  if (code !== 0) fail(signal === null ? `exit code ${code}` : `ended by ${signal}`, stderr);
  return stdout;
}
