import type { DescriptorSource, VerificationReport } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { locateNative, readDescriptor } from '@superfluidity/dialects';
import { prove } from '@superfluidity/intent';
import { onOneSite } from '@superfluidity/intent/plane';
import '../errors.ts';

/** The proof of the policies of a descriptor, without a server: all functions are taken to be on one site. */
export function proveHere(source: DescriptorSource, milliseconds: number): VerificationReport {
  if ('descriptor' in source) {
    const reason = `'${source.descriptor}' is no file here, and the catalogue is known to the server only`;
    throw new SuperfluidityError('SF-CLI-FILE', { doing: 'verify a descriptor', reason });
  }
  const files = source.files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, 'base64') }));
  const { service, problems } = readDescriptor(files);
  const doing = `read ${files[0]!.path}`;
  if (service === undefined) {
    throw new SuperfluidityError('SF-CLI-FILE', { doing, reason: 'the descriptor has errors', data: { problems } });
  }
  if ((service.policies ?? []).length === 0) {
    throw new SuperfluidityError('SF-CLI-FILE', {
      doing,
      reason: 'the service has no policies',
      hint: 'Write some under `policies:`; docs/guides/verify.md says how.',
    });
  }
  const [main] = files as [(typeof files)[0]];
  const locate = locateNative(main.bytes.toString(), main.path);
  const at = (path: string) => {
    const found = locate(path);
    return found === undefined ? undefined : { file: main.path, line: found.line };
  };
  return prove({ service, intended: onOneSite(service, { locate: at }), milliseconds }) as VerificationReport;
}
