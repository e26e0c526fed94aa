import { z } from 'zod';

/** The same shape as `ErrorReport` of core: a code, a cause chain, the southbound exchange. */
export interface ErrorBody {
  code: string;
  message: string;
  hint?: string | undefined;
  request?: string | undefined;
  answer?: string | undefined;
  data?: Record<string, unknown> | undefined;
  cause?: ErrorBody | undefined;
}
export const errorReport: z.ZodType<ErrorBody> = z
  .object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    request: z.string().optional(),
    answer: z.string().optional(),
    data: z.record(z.string(), z.unknown()).optional(),
    get cause() {
      return errorReport.optional();
    },
  })
  .meta({ id: 'ErrorReport' });

/** RFC 9457 problem details, extended by the error report. */
export const problemDetails = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    error: errorReport,
  })
  .meta({ id: 'ProblemDetails' });
