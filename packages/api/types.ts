import type { z } from 'zod';
import type * as s from './schemas.ts';

/** The resources as plain types. */
export type Problem = z.infer<typeof s.problem>;
export type Host = z.infer<typeof s.host>;
export type SiteDeclaration = z.infer<typeof s.siteDeclaration>;
export type Site = z.infer<typeof s.site>;
export type SiteDetail = z.infer<typeof s.siteDetail>;
export type SiteLink = z.infer<typeof s.siteLink>;
export type DescriptorSource = z.infer<typeof s.descriptorSource>;
export type Descriptor = z.infer<typeof s.descriptor>;
export type CheckResult = z.infer<typeof s.checkResult>;
export type Assignment = z.infer<typeof s.assignment>;
export type StepState = z.infer<typeof s.stepState>;
export type Step = z.infer<typeof s.step>;
export type Plan = z.infer<typeof s.plan>;
export type Operation = z.infer<typeof s.operation>;
export type OperationState = z.infer<typeof s.operationState>;
export type OperationKind = z.infer<typeof s.operationKind>;
export type OperationDetail = z.infer<typeof s.operationDetail>;
export type Unit = z.infer<typeof s.unit>;
export type Service = z.infer<typeof s.service>;
export type ServiceDetail = z.infer<typeof s.serviceDetail>;
export type ChainStatus = z.infer<typeof s.chainStatus>;
export type Event = z.infer<typeof s.event>;
export type Sample = z.infer<typeof s.sample>;
export type SystemInfo = z.infer<typeof s.systemInfo>;
export type ProblemDetails = z.infer<typeof s.problemDetails>;
