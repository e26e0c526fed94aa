import { z } from 'zod';

/** Of what the sites' own orchestrators do: stacks and workflows. */

export const progress = z
  .object({
    at: z.number(),
    what: z.string().meta({ description: 'A resource of a stack, a task of a workflow' }),
    state: z.string().meta({ description: 'In the words of the site: CREATE_COMPLETE, SUCCESS' }),
    reason: z.string().optional(),
  })
  .meta({ id: 'Progress' });

export const stackPreview = z
  .object({
    site: z.string(),
    step: z.string().meta({ description: 'Id of the step that is previewed' }),
    changes: z.array(
      z.object({
        change: z.enum(['add', 'update', 'replace', 'delete', 'keep']),
        name: z.string(),
        type: z.string(),
      }),
    ),
    refused: z.string().optional().meta({ description: 'Why the site does not say it' }),
  })
  .meta({ id: 'StackPreview' });

export const workflowRun = z
  .object({
    site: z.string().min(1).max(63),
    name: z
      .string()
      .regex(/^[\w.-]+$/)
      .max(255)
      .optional()
      .meta({ description: 'Of a workflow that the site knows, or of one in the definition; else its only one' }),
    definition: z
      .string()
      .max(262_144)
      .optional()
      .meta({ description: 'Text in the language of Mistral, version 2; kept at the site under its name' }),
    input: z.record(z.string().max(255), z.unknown()).default({}),
    timeoutMs: z.int().min(1_000).max(86_400_000).default(3_600_000),
  })
  .meta({ id: 'WorkflowRun' });
