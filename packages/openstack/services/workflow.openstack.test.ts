import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cloud } from '../index.ts';
import { labCloud, laboratory } from '../testing/lab.ts';
import { type OwnProject, ownProject } from '../testing/own-project.ts';
import * as mistral from './workflow.ts';

const lab = laboratory();
const name = `sf_services_${process.pid}`;
const definition = `version: '2.0'
${name}:
  input: [who, delay: 0]
  output: { said: <% $.said %> }
  tasks:
    greet:
      action: std.echo output=<% 'hello ' + $.who %>
      publish: { said: <% task().result %> }
      on-success: wait
    wait:
      action: std.noop
      wait-before: <% $.delay %>
      on-success: [ { check: <% $.who = nobody %> } ]
    check:
      action: std.fail
`;

describe.skipIf(lab === undefined)(
  `workflows of Mistral${lab === undefined ? ' (no laboratory: OS_AUTH_URL)' : ''}`,
  () => {
    let own: OwnProject;
    let cloud: Cloud;
    const signal = AbortSignal.timeout(120_000);
    const made: string[] = [];

    beforeAll(async () => {
      own = await ownProject(lab!, `sf-mistral-${process.pid}`);
      cloud = labCloud(own.config);
      await mistral.createWorkflows(cloud, definition, signal);
    });
    afterAll(async () => {
      for (const id of made) await mistral.deleteExecution(cloud, id, signal);
      await mistral.deleteWorkflow(cloud, name, signal);
      await cloud.close();
      await own.remove();
    });

    async function run(input: Record<string, unknown>, id: string = randomUUID()) {
      const started = await mistral.startExecution(
        cloud,
        { workflow: name, input, id, description: `${name} run` },
        signal,
      );
      if (!made.includes(id)) made.push(id);
      return started;
    }

    async function settled(id: string) {
      for (;;) {
        const execution = await mistral.getExecution(cloud, id, signal);
        if (!['IDLE', 'RUNNING', 'DELAYED', 'WAITING'].includes(execution.state)) return execution;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }

    test('are defined, run once under an id of the caller, and say what came of it', async () => {
      expect(await mistral.getWorkflow(cloud, name, signal)).toMatchObject({ name, input: 'who, delay="0"' });
      expect((await mistral.listWorkflows(cloud, signal)).map((one) => one.name)).toContain(name);
      expect(await mistral.updateWorkflows(cloud, definition, signal)).toMatchObject([{ name }]);
      const { id } = await run({ who: 'world' });
      expect((await run({ who: 'other' }, id)).id).toBe(id);
      expect(await settled(id)).toMatchObject({ state: 'SUCCESS', output: { said: 'hello world' } });
      expect((await mistral.listTasks(cloud, id, signal)).map((one) => one.name).toSorted()).toEqual(['greet', 'wait']);
      const { statistics } = await mistral.executionReport(cloud, id, signal);
      expect(statistics).toMatchObject({ total_tasks_count: 2, success_tasks_count: 2 });
      const found = await mistral.listExecutions(cloud, { description: `${name} run` }, signal);
      expect(found.map((one) => one.id)).toContain(id);
    });

    test('fail with the reason, are cancelled, and have tasks run again', async () => {
      const failed = await settled((await run({ who: 'nobody' })).id);
      expect(failed.state).toBe('ERROR');
      expect(failed.state_info).toContain('check');
      const tasks = await mistral.listTasks(cloud, failed.id, signal);
      const check = tasks.find((one) => one.name === 'check')!;
      expect(check.state).toBe('ERROR');
      expect((await mistral.listActionExecutions(cloud, check.id, signal))[0]).toMatchObject({ name: 'std.fail' });
      await mistral.rerunTask(cloud, check.id, true, signal);
      expect((await settled(failed.id)).state).toBe('ERROR');

      const { id } = await run({ who: 'sleeper', delay: 60 });
      await mistral.setExecutionState(cloud, id, 'PAUSED', signal);
      await mistral.setExecutionState(cloud, id, 'RUNNING', signal);
      await mistral.setExecutionState(cloud, id, 'CANCELLED', signal);
      expect((await settled(id)).state).toBe('CANCELLED');
    });

    test('share environments and workbooks, start by the clock, and have actions that run alone', async () => {
      await mistral.createEnvironment(cloud, name, { who: 'env' }, signal);
      expect((await mistral.getEnvironment(cloud, name, signal)).variables).toEqual({ who: 'env' });
      await mistral.deleteEnvironment(cloud, name, signal);
      const book = `version: '2.0'\nname: ${name}_book\nworkflows:\n  one:\n    tasks:\n      a: { action: std.noop }\n`;
      expect(await mistral.createWorkbook(cloud, book, signal)).toBe(`${name}_book`);
      await mistral.updateWorkbook(cloud, book, signal);
      const trigger = { name, workflow: `${name}_book.one`, pattern: '0 0 1 1 *', count: 1 };
      const { id } = await mistral.createCronTrigger(cloud, trigger, signal);
      expect((await mistral.listCronTriggers(cloud, signal)).map((one) => one.id)).toContain(id);
      await mistral.deleteCronTrigger(cloud, name, signal);
      await mistral.deleteWorkbook(cloud, `${name}_book`, signal);
      await mistral.deleteWorkflow(cloud, `${name}_book.one`, signal);
      expect(await mistral.listActionNames(cloud, signal)).toContain('std.http');
      expect(await mistral.runAction(cloud, 'std.echo', { output: 7 }, signal)).toMatchObject({ state: 'SUCCESS' });
    });
  },
);
