import { readFileSync } from 'node:fs';
import { writeFile } from '../paths.ts';
import { certificatePath, keyPath } from './certificates.ts';
import { ADDRESSES, type Lab } from './lab.ts';

/** Credentials in one file, as text: it may be copied to where the laboratory's folder is not. */
export function renderKubeconfig(
  lab: Lab,
  certificate: string,
  options: { readonly server: string; readonly namespace?: string },
): string {
  const base64 = (path: string) => readFileSync(path).toString('base64');
  const name = 'superfluidity-lab';
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name,
          cluster: { server: options.server, 'certificate-authority-data': base64(certificatePath(lab, 'ca')) },
        },
      ],
      users: [
        {
          name: certificate,
          user: {
            'client-certificate-data': base64(certificatePath(lab, certificate)),
            'client-key-data': base64(keyPath(lab, certificate)),
          },
        },
      ],
      contexts: [
        {
          name,
          context: {
            cluster: name,
            user: certificate,
            ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
          },
        },
      ],
      'current-context': name,
    },
    undefined,
    2,
  )}\n`;
}

/** As who is on this machine sees the API server. */
export function outerServer(lab: Lab): string {
  return `https://${lab.options.address}:${lab.options.port}`;
}

/** As control plane and nodes see it. */
export const innerServer = `https://${ADDRESSES.controlPlane}:${ADDRESSES.api}`;

export function writeInnerKubeconfig(lab: Lab, certificate: string, path: string): void {
  writeFile(path, renderKubeconfig(lab, certificate, { server: innerServer }));
}
