import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Clock, SuperfluidityError, systemClock } from '@superfluidity/core';
import { isAlive, type ProcessRef, spawnDetached } from './processes.ts';
import './errors.ts';
import type { LinkShape } from './link-shape.ts';

export interface RelayEnd {
  /** Address and port of the relay towards this end: what the tunnel of the end names as its remote. */
  readonly listen: string;
  /** Address and port of the end of the tunnel. */
  readonly remote: string;
}

export interface RelaySettings extends LinkShape {
  readonly namespace: string;
  readonly a: RelayEnd;
  readonly b: RelayEnd;
  readonly logPath: string;
}

const PROGRAM = fileURLToPath(new URL('link-relay.ts', import.meta.url));
const READY_TIMEOUT_MS = 5000;
const POLL_MS = 5;

/** The command line, for those who look for a relay that lives on after a restart. */
export function relayArgv(settings: RelaySettings): readonly [string, ...string[]] {
  const { a, b } = settings;
  return [
    process.execPath,
    PROGRAM,
    '--a-listen',
    a.listen,
    '--a-remote',
    a.remote,
    '--b-listen',
    b.listen,
    '--b-remote',
    b.remote,
    '--delay-ms',
    String(settings.delayMs),
    '--jitter-ms',
    String(settings.jitterMs ?? 0),
    '--loss',
    String(settings.loss ?? 0),
    ...(settings.rateMbps === undefined ? [] : ['--rate-mbps', String(settings.rateMbps)]),
  ];
}

/** Once in hundreds of starts, on a busy machine, a relay was gone before it listened; nobody found out why. */
const ATTEMPTS = 2;

/** Starts a relay that does not depend on this process. Resolves when it listens; stop it with `stopProcess`. */
export async function startLinkRelay(settings: RelaySettings, clock: Clock = systemClock): Promise<ProcessRef> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(settings, clock);
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof SuperfluidityError) || error.code !== 'SF-LINUX-COMMAND')
        throw error;
    }
  }
}

async function startOnce(settings: RelaySettings, clock: Clock): Promise<ProcessRef> {
  const argv = relayArgv(settings);
  const relay = await spawnDetached(argv, { namespace: settings.namespace, stdoutPath: settings.logPath });
  for (let waited = 0; waited < READY_TIMEOUT_MS; waited += POLL_MS) {
    const log = readFileSync(settings.logPath, 'utf8');
    if (log.endsWith('ready\n')) return relay;
    if (!isAlive(relay)) {
      const answer = log.slice(-2000);
      throw new SuperfluidityError('SF-LINUX-COMMAND', {
        doing: 'start a link relay',
        reason: 'it ended at once',
        request: argv.join(' '),
        answer,
      });
    }
    await clock.sleep(POLL_MS);
  }
  throw new SuperfluidityError('SF-LINUX-COMMAND-TIMEOUT', {
    doing: 'start a link relay',
    reason: 'it does not listen',
    request: argv.join(' '),
  });
}
