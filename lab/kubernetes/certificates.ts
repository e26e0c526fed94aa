import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';
import { ADDRESSES, type Lab, nodesOf, USER } from './lab.ts';

/** Who has a certificate. The name and the group in it are what Kubernetes knows its owner by. */
interface Certificate {
  readonly file: string;
  readonly user: string;
  readonly group?: string;
  /** Names and addresses of a server: `DNS:kubernetes`, `IP:10.96.0.1`. */
  readonly names?: readonly string[];
}

const DAYS = '3650';

export function certificatesOf(lab: Lab): readonly Certificate[] {
  const { address } = lab.options;
  const api = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'];
  return [
    {
      file: 'apiserver',
      user: 'kube-apiserver',
      names: [
        ...api.map((name) => `DNS:${name}`),
        ...[ADDRESSES.controlPlane, ADDRESSES.apiService, '127.0.0.1', address].map((ip) => `IP:${ip}`),
      ],
    },
    { file: 'apiserver-kubelet-client', user: 'kube-apiserver-kubelet-client', group: 'system:masters' },
    { file: 'controller-manager', user: 'system:kube-controller-manager' },
    { file: 'scheduler', user: 'system:kube-scheduler' },
    { file: 'admin', user: 'admin', group: 'system:masters' },
    { file: USER, user: USER },
    ...nodesOf(lab).flatMap(({ name, address: ip }) => [
      { file: name, user: `system:node:${name}`, group: 'system:nodes' },
      { file: `${name}-server`, user: `system:node:${name}`, names: [`DNS:${name}`, `IP:${ip}`] },
    ]),
  ];
}

export function keyPath(lab: Lab, file: string): string {
  return join(lab.paths.pki, `${file}.key`);
}

export function certificatePath(lab: Lab, file: string): string {
  return join(lab.paths.pki, `${file}.crt`);
}

/** Makes what is missing: an authority, certificates of it, and the key with which accounts of pods are signed. */
export async function ensureCertificates(lab: Lab): Promise<void> {
  mkdirSync(lab.paths.pki, { recursive: true, mode: 0o700 });
  const ca = certificatePath(lab, 'ca');
  if (!existsSync(ca)) {
    const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-addext', 'basicConstraints=critical,CA:TRUE'];
    await request(lab, 'ca', '/CN=superfluidity-lab', usage);
  }
  for (const certificate of certificatesOf(lab)) {
    if (existsSync(certificatePath(lab, certificate.file))) continue;
    const { file, user, group, names } = certificate;
    const subject = `${group === undefined ? '' : `/O=${group}`}/CN=${user}`;
    await request(lab, file, subject, [
      '-CA',
      ca,
      '-CAkey',
      keyPath(lab, 'ca'),
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      '-addext',
      'keyUsage=critical,digitalSignature',
      '-addext',
      `extendedKeyUsage=${names === undefined ? 'clientAuth' : 'serverAuth,clientAuth'}`,
      ...(names === undefined ? [] : ['-addext', `subjectAltName=${names.join(',')}`]),
    ]);
  }
  const accounts = keyPath(lab, 'service-accounts');
  if (!existsSync(accounts)) {
    await run(['openssl', 'genrsa', '-out', accounts, '2048']);
    await run(['openssl', 'rsa', '-in', accounts, '-pubout', '-out', join(lab.paths.pki, 'service-accounts.pub')]);
  }
}

async function request(lab: Lab, file: string, subject: string, more: readonly string[]): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath(lab, file)];
  // Without a configuration file of the machine, whose extensions would come on top.
  const plain = ['-config', '/dev/null', '-subj', subject];
  const out = ['-days', DAYS, '-out', certificatePath(lab, file)];
  await run(['openssl', 'req', '-x509', ...plain, ...key, ...out, ...more]);
}
