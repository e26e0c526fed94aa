import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, type Client, type OperationDetail } from '@superfluidity/api';
import { type Deployer, GENERATOR, type UnitPlace } from '@superfluidity/characterise';
import { SuperfluidityError } from '@superfluidity/core';

const POLL_MS = 200;
const SAMPLES = 50_000;
const USAGE_UNITS = 1_000;
const resting = new Set(['COMPLETED', 'FAILED_TEMP', 'FAILED', 'ROLLED_BACK']);

/** Through the verbs of the control plane: a service for each experiment, on whatever sites it has. */
export function controlPlaneDeployer(client: Client, serviceFile: string, timeoutSeconds: number): Deployer {
  const baseFolder = dirname(resolve(serviceFile));
  const rested = (id: string, signal: AbortSignal) => untilItRests(client, id, timeoutSeconds, signal);
  const usageOf = async (name: string) => {
    const metrics = await client.call('readUnitMetrics', { params: { name }, query: { limit: USAGE_UNITS } });
    return metrics.filter(({ path }) => path.split('/')[0] !== GENERATOR);
  };
  /** Moves every unit that is elsewhere. */
  async function allTo(name: string, { site, host }: UnitPlace, signal: AbortSignal): Promise<void> {
    const { units } = await client.call('getService', { params: { name } });
    const elsewhere = units.filter((unit) => unit.site !== site || unit.host !== host);
    for (const what of new Set(elsewhere.map(({ path }) => path))) {
      const { operation } = await client.call('moveService', { params: { name }, body: { what, to: site, host } });
      succeeded(await rested(operation, signal), `move ${name}/${what} to ${site}/${host}`);
    }
  }
  return {
    async deploy(name, files, signal, where) {
      const source = {
        files: files.map(({ path, bytes }) => ({ path, base64: Buffer.from(bytes).toString('base64') })),
        baseFolder,
      };
      const { operation } = await client.call('deployService', { body: { source, name } });
      succeeded(await rested(operation, signal), `deploy ${name}`);
      if (where !== undefined) await allTo(name, where, signal);
      const { units } = await client.call('getService', { params: { name } });
      const addresses: Record<string, string> = {};
      const places: Record<string, UnitPlace> = {};
      for (const { path, ports, site, host } of units.toSorted((a, b) => b.index - a.index)) {
        for (const called of [path, path.split('/')[0]!]) {
          places[called] = { site, host };
          if (ports[0] !== undefined) addresses[called] = ports[0].address;
        }
      }
      return {
        addresses,
        places,
        usage: () => usageOf(name),
        telemetry: async () => client.call('getSamples', { params: { name }, query: { limit: SAMPLES } }),
      };
    },

    async terminate(name, signal) {
      const service = await client.call('getService', { params: { name } }).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      });
      if (service === undefined) return;
      if (service.busy !== undefined) {
        const { state } = await rested(service.busy, signal);
        // What could not be deployed waits for somebody to decide.
        if (state === 'FAILED_TEMP') {
          await client.call('rollbackOperation', { params: { id: service.busy } });
          await rested(service.busy, signal);
          return this.terminate(name, signal);
        }
      }
      const { operation } = await client.call('terminateService', { params: { name } });
      succeeded(await rested(operation, signal), `terminate ${name}`);
    },
  };
}

async function untilItRests(
  client: Client,
  id: string,
  seconds: number,
  signal: AbortSignal,
): Promise<OperationDetail> {
  const untilMs = Date.now() + seconds * 1_000;
  for (;;) {
    const operation = await client.call('getOperation', { params: { id } });
    if (resting.has(operation.state)) return operation;
    if (Date.now() > untilMs) {
      const reason = `it is ${operation.state} after ${seconds} s`;
      throw new SuperfluidityError('SF-CLI-TIMEOUT', { doing: `wait for operation ${id}`, reason });
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

function succeeded({ id, state, error, steps }: OperationDetail, doing: string): void {
  if (state === 'COMPLETED') return;
  const failed = steps.find((step) => step.state === 'failed');
  const reason = failed?.error?.message ?? error?.message ?? 'no reason is given';
  throw new SuperfluidityError('SF-CHARACTERISE-EXPERIMENT', {
    doing,
    reason: `operation ${id} is ${state}: ${reason}`,
  });
}
