import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import type { Context } from './context.ts';
import './errors.ts';

/** A cluster of Kubernetes, as commands are told of it. */
export interface ClusterChoice {
  /** Of kind `kubernetes`. */
  readonly site?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Of the site, or those that were named. */
export async function credentials(
  context: Context,
  { site, kubeconfig, context: named }: ClusterChoice,
): Promise<{ readonly kubeconfig: string; readonly context?: string }> {
  const refuse = (reason: string, hint?: string): never => {
    const more = hint === undefined ? {} : { hint };
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'find the cluster', reason, ...more });
  };
  const chosen = (file: string, name: string | undefined) => ({
    kubeconfig: resolve(file),
    ...(name === undefined ? {} : { context: name }),
  });
  if ((site === undefined) === (kubeconfig === undefined)) refuse('give --site or --kubeconfig, and not both');
  if (kubeconfig !== undefined) return chosen(kubeconfig, named);
  const { kind, config } = await (await context.client()).call('getSite', { params: { name: site! } });
  if (kind !== 'kubernetes') refuse(`site ${site} is of kind ${kind}, and no cluster of Kubernetes`);
  const { kubeconfig: file, context: ofSite } = config;
  const hint = 'Give a kubeconfig of this machine with --kubeconfig: those of sites lie where the server is.';
  // What is in a secret of the server, the server alone reads.
  if (typeof file !== 'string') return refuse(`site ${site} has its credentials in no file`, hint);
  if (!existsSync(file)) return refuse(`${file} of site ${site} is not on this machine`, hint);
  return chosen(file, named ?? (typeof ofSite === 'string' ? ofSite : undefined));
}
