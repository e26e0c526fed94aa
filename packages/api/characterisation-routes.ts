import { z } from 'zod';
import { characterisationReport, characterisationSummary } from './characterisation-schemas.ts';
import { anyName, listOf, listQuery } from './lists.ts';
import { byName, nothing } from './route.ts';
import { name } from './schemas.ts';

/** Of reports of experiments. A part of the table in routes.ts. */
export const characterisationRoutes = {
  listCharacterisations: {
    method: 'GET',
    path: '/api/v1/characterisations',
    summary: 'Reports of experiments with services',
    tag: 'characterisations',
    query: listQuery(['name', 'service', 'experiments', 'samples', 'accuracy', 'updatedAt'], '-updatedAt', {
      service: anyName('Descriptor that was characterised'),
    }),
    reply: listOf(characterisationSummary, 'CharacterisationList'),
    status: 200,
    role: 'reader',
  },
  getCharacterisation: {
    method: 'GET',
    path: '/api/v1/characterisations/:name',
    summary: 'One report: classes, configurations, rules',
    tag: 'characterisations',
    params: byName,
    reply: characterisationReport.extend({ name: name, updatedAt: z.number() }).meta({ id: 'Characterisation' }),
    status: 200,
    role: 'reader',
  },
  putCharacterisation: {
    method: 'PUT',
    path: '/api/v1/characterisations/:name',
    summary: 'Publish a report, or replace the one of that name',
    tag: 'characterisations',
    params: byName,
    body: characterisationReport,
    reply: characterisationSummary,
    status: 200,
    role: 'admin',
  },
  removeCharacterisation: {
    method: 'DELETE',
    path: '/api/v1/characterisations/:name',
    summary: 'Delete a report',
    tag: 'characterisations',
    params: byName,
    reply: nothing,
    status: 204,
    role: 'admin',
  },
} as const;
