import type { FabricCall } from '@superfluidity/fabric';
import type { Tell } from './stacks.ts';

export interface WorkflowRequest {
  /** The caller's id; the key of idempotency. */
  readonly id: string;
  /** Of a workflow that the site knows, or of one in the definition. */
  readonly name: string;
  /** Text in the language of Mistral, version 2; it is kept at the site under its name. */
  readonly definition?: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface WorkflowOutcome {
  /** What the site calls it. */
  readonly execution: string;
  readonly output: unknown;
  /** How many tasks there were, by state. */
  readonly tasks: Readonly<Record<string, number>>;
}

/** Sites that run workflows. */
export interface SiteWorkflows {
  /**
   * Runs a workflow and resolves when it is over; asked again, follows the run that is there. One that failed is run again
   * from the tasks that failed. Throws `SF-SITE-WORKFLOW-FAILED` with what the tasks said. When the signal fires, it is
   * not followed any more, and goes on: `cancel` ends it.
   */
  run(request: WorkflowRequest, call: FabricCall, tell: Tell): Promise<WorkflowOutcome>;
  /** Idempotent; of one that is over, nothing changes. */
  cancel(id: string, call: FabricCall): Promise<void>;
}
