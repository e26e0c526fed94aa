import { describe, expect, it } from 'vitest';
import { mayConcern, readNotification } from './envelope.ts';

const OURS = 'ac25cc0182314ff98978125ab986ef4b';
const OTHERS = '51c4f0c148744aaab6691ebdfca6d71c';

/** As the laboratory's services send it, without the rest of what they say. */
const sent = (message: object) =>
  Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }));

describe('a notification of the cloud', () => {
  it('is read in the form of each service, and says whose it is', () => {
    const said = { priority: 'INFO', publisher_id: 'compute.lab', _context_project_id: 'of-who-did-it' };
    const nova = { ...said, event_type: 'compute.instance.delete.end', payload: { instance_id: 's', tenant_id: OURS } };
    expect(readNotification(sent(nova))).toEqual({ type: 'compute.instance.delete.end', projectId: OURS });
    const versioned = {
      event_type: 'instance.delete.end',
      payload: { 'nova_object.name': 'InstanceActionPayload', 'nova_object.data': { uuid: 's', tenant_id: OURS } },
    };
    expect(readNotification(sent(versioned))).toEqual({ type: 'instance.delete.end', projectId: OURS });
    const neutron = { ...said, event_type: 'port.delete.end', payload: { port_id: 'p', port: { project_id: OURS } } };
    expect(readNotification(sent(neutron))).toEqual({ type: 'port.delete.end', projectId: OURS });
    const heat = {
      ...said,
      event_type: 'orchestration.stack.update.error',
      payload: { tenant_id: OURS, state: 'UPDATE_FAILED' },
    };
    expect(readNotification(sent(heat))).toEqual({ type: 'orchestration.stack.update.error', projectId: OURS });
    // Where the thing does not say it, who did it counts.
    expect(readNotification(sent({ ...said, event_type: 'port.delete.end', payload: { port_id: 'p' } }))).toEqual({
      type: 'port.delete.end',
      projectId: 'of-who-did-it',
    });
  });

  it('is nothing where it is no notification', () => {
    const wrong = [
      undefined,
      null,
      'text',
      Buffer.from('{'),
      Buffer.from([0xff, 0x00]),
      {},
      { 'oslo.version': '2.0', 'oslo.message': '{' },
      { 'oslo.version': '2.0', 'oslo.message': '[]' },
      { 'oslo.version': '2.0', 'oslo.message': '{"event_type": 7}' },
      { 'oslo.message': '{"event_type": "port.delete.end"}' },
    ];
    for (const body of wrong) expect(readNotification(body), JSON.stringify(body)).toBeUndefined();
    expect(readNotification(sent({ event_type: 'port.delete.end' }))).toEqual({ type: 'port.delete.end' });
  });

  it('concerns a project when its own servers, ports or stacks may have changed', () => {
    const type = 'compute.instance.delete.end';
    expect(mayConcern({ type, projectId: OURS }, OURS)).toBe(true);
    expect(mayConcern({ type, projectId: OTHERS }, OURS)).toBe(false);
    expect(mayConcern({ type }, OURS)).toBe(true);
    for (const other of ['port.update.end', 'instance.power_off.end', 'orchestration.stack.create.error'])
      expect(mayConcern({ type: other }, OURS), other).toBe(true);
    for (const other of [
      'port.update.start',
      'compute.instance.exists',
      'subnet.create.end',
      'portal.open.end',
      'tag.update.end',
    ])
      expect(mayConcern({ type: other }, OURS), other).toBe(false);
  });
});
