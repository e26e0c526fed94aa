import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { canonicalJson, SuperfluidityError } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { LIMITS } from './config.ts';

const FACTS = '/etc/superfluidity/facts.json';
const ENVIRONMENT = '/etc/superfluidity/environment';
const FILES_MAX = 1_000;

/**
 * What cloud-init does at the first start (https://docs.cloudinit.io): facts and environment as files, those of the package
 * below /app, and the program as a service of systemd. JSON is YAML. Base64, as Nova wants it.
 */
export function userDataOf(spec: UnitSpec): string {
  return bounded(spec, Buffer.from(gzipSync(cloudConfigOf(spec))).toString('base64'));
}

/** As Heat takes it: a text, which Heat gives to Nova in base64. */
export function plainUserDataOf(spec: UnitSpec): string {
  const text = cloudConfigOf(spec);
  bounded(spec, Buffer.from(text).toString('base64'));
  return text;
}

function cloudConfigOf(spec: UnitSpec): string {
  const { command, env = {}, files } = spec.execution;
  const lines = sortedEntries(env).map(([name, value]) => `${name}=${quoted(value)}\n`);
  // As `ip` makes them at other sites: what comes by a chain that ends here has one of them as its destination.
  const answers = [...new Set(spec.ports.flatMap(({ serviceAddresses }) => serviceAddresses))].map((address) => [
    'ip',
    'address',
    'replace',
    `${address}/32`,
    'dev',
    'lo',
  ]);
  const config = {
    ...(answers.length === 0 ? {} : { bootcmd: answers }),
    write_files: [
      { path: FACTS, content: canonicalJson(spec.facts), permissions: '0644' },
      { path: ENVIRONMENT, content: lines.join(''), permissions: '0600' },
      // Below /run nothing outlives a reboot.
      { path: '/etc/tmpfiles.d/superfluidity.conf', content: `C /run/superfluidity/facts.json 0644 - - - ${FACTS}\n` },
      ...(files === undefined ? [] : appFiles(resolve(spec.baseFolder ?? '.', files))),
      ...(command === undefined ? [] : [{ path: SERVICE, content: serviceText(command), permissions: '0644' }]),
    ],
    runcmd: [
      ...answers,
      ['systemd-tmpfiles', '--create', '/etc/tmpfiles.d/superfluidity.conf'],
      ...(command === undefined ? [] : [['systemctl', 'enable', '--now', 'superfluidity-unit.service']]),
    ],
  };
  // Always in one order: Heat makes a server anew when this text changes, and databases order keys as they like.
  return `#cloud-config\n${canonicalJson(config)}\n`;
}

const sortedEntries = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1));

function bounded(spec: UnitSpec, text: string): string {
  if (text.length <= LIMITS.userDataBytes) return text;
  throw new SuperfluidityError('SF-SITE-ENVIRONMENT', {
    doing: `describe unit ${spec.path} for cloud-init`,
    reason: `files, environment and facts have ${text.length} bytes: a cloud takes ${LIMITS.userDataBytes}`,
    hint: 'Put the files into the image, or let the unit fetch them.',
  });
}

const SERVICE = '/etc/systemd/system/superfluidity-unit.service';

function serviceText(command: readonly string[]): string {
  return [
    '[Unit]',
    'Description=Unit of Superfluidity',
    'After=network-online.target',
    'Wants=network-online.target',
    '[Service]',
    `EnvironmentFile=${ENVIRONMENT}`,
    // Looked up on the path, as in other environments.
    `ExecStart=/usr/bin/env ${command.map(quotedForSystemd).join(' ')}`,
    'Restart=on-failure',
    'StandardOutput=journal+console',
    'StandardError=journal+console',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** systemd.exec(5), EnvironmentFile: within double quotes only these are special. */
function quoted(value: string): string {
  return `"${value.replaceAll(/["\\`$]/g, (one) => `\\${one}`)}"`;
}

/** systemd.service(5): `%` begins a specifier, `$` a variable. */
function quotedForSystemd(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return `"${plain.replaceAll(/["\\]/g, (one) => `\\${one}`).replaceAll('\n', '\\n')}"`;
}

function appFiles(folder: string): readonly object[] {
  const found: object[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const one = join(path, entry.name);
      if (entry.isDirectory()) visit(one);
      if (!entry.isFile()) continue;
      const { size, mode } = statSync(one);
      if (found.length >= FILES_MAX || size > LIMITS.userDataBytes * 4) throw tooMuch(folder);
      found.push({
        path: join('/app', relative(folder, one)),
        encoding: 'b64',
        content: readFileSync(one).toString('base64'),
        permissions: (mode & 0o100) === 0 ? '0444' : '0555',
      });
    }
  };
  visit(folder);
  return found;
}

function tooMuch(folder: string): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-ENVIRONMENT', {
    reason: `the files of ${folder} are too many or too large to be given to a server`,
    hint: 'Put the files into the image, or let the unit fetch them.',
  });
}
