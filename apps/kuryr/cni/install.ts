import { chmodSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { CONFIGURATION_LIST, PLUGIN } from '../api/plugin.ts';
import './errors.ts';
import { buildExecutable } from './executable/build.ts';

export interface InstallOptions {
  /** Where the runtime looks for plugins: /opt/cni/bin. */
  readonly bin: string;
  /** Where it looks for networks: /etc/cni/net.d. */
  readonly conf: string;
  readonly socket: string;
  /** Of the network. */
  readonly network: string;
  /** The executable where it was built elsewhere; else it is built from its source here. */
  readonly executable?: string;
  /** Plugins behind ours, as objects of a list of configurations: `{"type": "tuning"}`. */
  readonly chained: readonly Readonly<Record<string, unknown>>[];
}

interface ConfigurationList {
  readonly cniVersion: string;
  readonly cniVersions?: readonly string[];
  readonly name: string;
  readonly plugins: readonly object[];
}

/**
 * A list of configurations: section 1 of the specification. Runtimes that know 1.1 ask for more, where the plugins behind ours,
 * whose versions are not known here, do not keep them from it.
 */
export function configurationList({
  network,
  socket,
  chained,
}: Pick<InstallOptions, 'network' | 'socket' | 'chained'>): ConfigurationList {
  return {
    cniVersion: '1.0.0',
    ...(chained.length === 0 ? { cniVersions: ['1.0.0', '1.1.0'] } : {}),
    name: network,
    plugins: [{ type: PLUGIN, socket }, ...chained],
  };
}

/** Executable first: a runtime takes a node with a configuration for one that can run pods. Throws `SF-CNI-INSTALL`. */
export async function install(
  options: InstallOptions,
): Promise<{ readonly executable: string; readonly list: string }> {
  const { bin, conf, executable } = options;
  const target = join(bin, PLUGIN);
  const list = join(conf, CONFIGURATION_LIST);
  if (executable === undefined) await buildExecutable(target);
  try {
    mkdirSync(bin, { recursive: true });
    mkdirSync(conf, { recursive: true });
    if (executable !== undefined) {
      copyFileSync(executable, `${target}.new`);
      chmodSync(`${target}.new`, 0o755);
      renameSync(`${target}.new`, target);
    }
    // Not of the ending that runtimes look for, until it is whole.
    writeFileSync(`${list}.new`, `${JSON.stringify(configurationList(options), undefined, 2)}\n`, { mode: 0o644 });
    renameSync(`${list}.new`, list);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CNI-INSTALL', {
      doing: `install ${target} and ${list}`,
      reason,
      hint: 'Look at the rights and the space of the folders --cni-bin and --cni-conf, and whether --executable is there.',
      cause,
    });
  }
  return { executable: target, list };
}
