import { connect } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';

const ANSWER_TIMEOUT_MS = 2_000;
const ANSWER_MAX = 16 * 1_024 * 1_024;

/** One command to the runtime socket (management guide, section 9.3); the answer to its end. */
export function tell(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (reason: string) =>
      socket.destroy(
        new SuperfluidityError('SF-HAPROXY-SILENT', { doing: 'ask a proxy', reason, request: command.slice(0, 200) }),
      );
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail('no answer'));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > ANSWER_MAX) fail('its answer has no end');
    });
    socket.once('end', () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    });
    socket.once('error', reject);
    socket.write(`${command}\n`);
  });
}
