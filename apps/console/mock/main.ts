import { parseArgs } from 'node:util';
import { makeHistory } from './history.ts';
import { startMock } from './server.ts';

/** `node apps/console/mock/main.ts`: the console without a control plane; `vite dev` sends /api there too. */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    token: { type: 'string', default: 'mock' },
    speed: { type: 'string', default: '1' },
    empty: { type: 'boolean', default: false },
  },
});
const mock = await startMock({ port: Number(values.port), token: values.token, speed: Number(values.speed) });
if (!values.empty) {
  makeHistory(mock.world);
  mock.scenario.deploy('mobile-edge');
}
console.log(`${mock.url}/#token=${values.token}`);
