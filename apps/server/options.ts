import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultStateFolder } from '@superfluidity/access';
import { SuperfluidityError } from '@superfluidity/core';
import { type AnomalyOptions, anomalyDefaults, checkAnomalyOptions } from '@superfluidity/observe/live';
import './errors.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const runKeepers = ['tables', 'dbos'] as const;
export type RunKeeper = (typeof runKeepers)[number];

export interface ServerOptions {
  readonly state: string;
  readonly database: string;
  /** Folder in which drivers keep files. */
  readonly sites: string;
  /** The keys by which secrets are sealed: of this file, or, where there is one, in this text. */
  readonly keyFile: string;
  readonly secretKey?: string;
  /** Folder of the playbooks that may be run over services. Undefined: none may. */
  readonly playbooks: string | undefined;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly demo: boolean;
  readonly open: boolean;
  readonly logLevel: LogLevel;
  /** Who keeps the runs of operations. */
  readonly runs: RunKeeper;
  /** Whether anybody can open terminals in units. */
  readonly terminals: boolean;
  /** How what services do is watched for anomalies. Undefined: it is not. */
  readonly anomalies: AnomalyOptions | undefined;
}

export const usage = `Usage: superfluidity server [options]

Starts the control plane: API, console, workers. Stop it with Ctrl-C; what it deployed keeps running.

  --state DIR        folder for the token, the embedded database and the sites
                     (default: $SUPERFLUIDITY_STATE, else ./.state where that exists, else ~/.local/state/superfluidity)
  --database URL     pglite:DIR (default: in the state folder; survives a kill, not a power cut),
                     embedded:DIR (a PostgreSQL of its own) or postgres://... (needed for several servers)
  --sites DIR        folder in which the sites keep files (default: in the state folder);
                     servers that share a database and a machine share this too
  --key-file FILE    key by which secrets are sealed (default: $SUPERFLUIDITY_SECRET_KEY itself, else secrets.key
                     in the state folder, made when the first secret is); servers that share a database share it
  --playbooks DIR    folder of playbooks of Ansible that may be run over services (default: none may)
  --host ADDRESS     address to listen on (default 127.0.0.1: this machine only)
  --port NUMBER      port to listen on (default 8080; 0: any free one)
  --demo             add the sites edge and core and deploy examples/mobile-edge, where not yet there
  --no-open          do not open a browser
  --no-terminals     open no terminals in units, whoever asks
  --runs KEEPER      who keeps the runs of operations: tables (default) or dbos, whose tools then see them
  --anomalies RATE   false alarms of the detectors of anomalies, as a part of normal windows (default ${anomalyDefaults.rate}); off: none
  --anomaly-window N values that they judge together (default ${anomalyDefaults.window})
  --log-level LEVEL  ${logLevels.join(', ')} (default: warn on a terminal, else info); JSON lines on standard error
`;

export function parseServerArgs(args: readonly string[], env = process.env): ServerOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const state = resolve(values.state ?? defaultStateFolder(env));
  const port = Number(values.port ?? 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw wrong(`--port ${values.port}: not a port number`);
  const logLevel = values['log-level'] ?? (process.stderr.isTTY ? 'warn' : 'info');
  if (!(logLevels as readonly string[]).includes(logLevel)) throw wrong(`--log-level ${logLevel}: not a level`);
  const runs = values.runs ?? 'tables';
  if (!(runKeepers as readonly string[]).includes(runs)) throw wrong(`--runs ${runs}: tables or dbos`);
  return {
    state,
    database: values.database ?? `pglite:${join(state, 'db')}`,
    sites: resolve(values.sites ?? join(state, 'sites')),
    keyFile: resolve(values['key-file'] ?? join(state, 'secrets.key')),
    ...(values['key-file'] === undefined && env['SUPERFLUIDITY_SECRET_KEY']
      ? { secretKey: env['SUPERFLUIDITY_SECRET_KEY'] }
      : {}),
    playbooks: values.playbooks === undefined ? undefined : resolve(values.playbooks),
    host: values.host ?? '127.0.0.1',
    port,
    demo: values.demo ?? false,
    open: values.open ?? true,
    logLevel: logLevel as LogLevel,
    runs: runs as RunKeeper,
    terminals: values.terminals ?? true,
    anomalies: anomaliesOf(values.anomalies, values['anomaly-window']),
  };
}

function anomaliesOf(rate: string | undefined, window: string | undefined): AnomalyOptions | undefined {
  if (rate === 'off') return undefined;
  const options = { rate: Number(rate ?? anomalyDefaults.rate), window: Number(window ?? anomalyDefaults.window) };
  const mistake = checkAnomalyOptions(options);
  if (mistake !== undefined)
    throw wrong(`--anomalies ${rate ?? options.rate} --anomaly-window ${options.window}: ${mistake}`);
  return options;
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        state: { type: 'string' },
        database: { type: 'string' },
        sites: { type: 'string' },
        'key-file': { type: 'string' },
        playbooks: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        demo: { type: 'boolean' },
        open: { type: 'boolean' },
        'log-level': { type: 'string' },
        runs: { type: 'string' },
        terminals: { type: 'boolean' },
        anomalies: { type: 'string' },
        'anomaly-window': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function wrong(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SERVER-OPTION', { doing: 'read the options', reason });
}
