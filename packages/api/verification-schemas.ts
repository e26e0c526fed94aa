import { z } from 'zod';

export const proofAnswer = z.enum(['holds', 'violated', 'unknown']);
const ruleLine = z.object({ file: z.string(), line: z.int(), text: z.string().exactOptional() });
const packetValues = z.record(z.string(), z.string()).meta({ description: 'Values of header fields, decimal' });

const pathReport = z.object({
  outcome: z.string(),
  port: z.string(),
  why: z.string().exactOptional(),
  source: ruleLine.exactOptional(),
  hops: z.array(z.object({ port: z.string(), because: z.array(ruleLine) })),
  doubts: z.array(z.string()),
  layout: z.string(),
  packet: z
    .object({ sent: packetValues, arrived: packetValues })
    .exactOptional()
    .meta({ description: 'A packet that takes this path' }),
});

/** The same shape as `VerificationReport` of intent. */
export const verificationReport = z
  .object({
    plane: z
      .enum(['intended', 'realised'])
      .meta({ description: 'What is meant to be there, or what sites say is there' }),
    answer: proofAnswer.meta({ description: 'The worst of the policies' }),
    policies: z.array(
      z.object({
        policy: z.string(),
        answer: proofAnswer,
        because: z.string(),
        bound: z.string().exactOptional().meta({ description: 'Of unknown: the bound that was hit' }),
        dependsOn: z.array(z.string()),
        rules: z.array(ruleLine),
        paths: z.array(pathReport),
      }),
    ),
    likeness: z
      .object({
        answer: proofAnswer,
        because: z.string(),
        bound: z.string().exactOptional().meta({ description: 'Of unknown: the bound that was hit' }),
        dependsOn: z.array(z.string()),
        differences: z.array(z.object({ because: z.string(), meant: z.array(pathReport), there: z.array(pathReport) })),
        leftOut: z.array(z.string()).meta({ description: 'Packets that were not compared' }),
      })
      .exactOptional()
      .meta({ description: 'Of what sites say is there: does it do with every packet what was meant?' }),
    assumptions: z.array(z.string()).meta({ description: 'What is taken for granted, and not proven' }),
    tookMs: z.number(),
  })
  .meta({ id: 'VerificationReport' });

/** The same shape as `WaysReport` of intent. */
export const waysReport = z
  .object({
    plane: z.enum(['intended', 'realised']),
    ways: z
      .array(
        pathReport.extend({
          from: z.string().meta({ description: 'Name of the unit that sends: video/server#0' }),
          arrivesAt: z.string().exactOptional().meta({ description: 'Name of the unit that takes it, if one does' }),
          answered: z.boolean().meta({ description: 'Whether its answer comes back; the hops go on with it' }),
        }),
      )
      .meta({ description: 'Those that are answered first, then the shorter ones' }),
    found: z.int().meta({ description: 'How many there are; of many, `ways` are some' }),
    bound: z.string().exactOptional().meta({ description: 'That was hit: there may be others' }),
    assumptions: z.array(z.string()).meta({ description: 'What is taken for granted, and not proven' }),
    tookMs: z.number(),
  })
  .meta({ id: 'WaysReport' });
