import { z } from 'zod';

/** What a service of the cloud told everybody who listens. */
export interface Notification {
  /** `compute.instance.delete.end`, `port.update.end`, `orchestration.stack.update.error`. */
  readonly type: string;
  /** Of what it is about; absent where the message does not say. */
  readonly projectId?: string;
}

/** oslo.messaging, version 2 of its envelope: the message is text inside. */
const envelope = z.object({ 'oslo.version': z.string(), 'oslo.message': z.string().max(4 << 20) });

const project = z.string().min(1).max(255);
const owned = z.object({ project_id: project.optional(), tenant_id: project.optional() });
const message = z.object({
  event_type: z.string().min(1).max(255),
  _context_project_id: project.nullish(),
  payload: z.unknown().optional(),
});

/**
 * Undefined for what is no notification: anybody who may write to the broker can send anything. The body is JSON, as text or, where
 * the sender did not say what it is, as bytes.
 */
export function readNotification(body: unknown): Notification | undefined {
  const outer = envelope.safeParse(Buffer.isBuffer(body) ? parsed(body.toString()) : body);
  if (!outer.success) return undefined;
  const inner = message.safeParse(parsed(outer.data['oslo.message']));
  if (!inner.success) return undefined;
  const { event_type: type, _context_project_id: context, payload } = inner.data;
  const projectId = ownerIn(payload) ?? context ?? undefined;
  return { type, ...(projectId === undefined ? {} : { projectId }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where services say whose it is: Nova beside the rest (versioned in `nova_object.data`), Neutron in the thing itself, Heat beside the rest. */
function ownerIn(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { 'nova_object.data': data, port } = payload as Readonly<Record<string, unknown>>;
  for (const candidate of [data, port, payload]) {
    const found = owned.safeParse(candidate).data;
    const id = found?.project_id ?? found?.tenant_id;
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * Whether something may have changed that a look at the project would see. What begins is told again when it has ended; what is
 * told every hour for bills has not changed.
 */
export function mayConcern({ type, projectId }: Notification, ownProject: string): boolean {
  if (projectId !== undefined && projectId !== ownProject) return false;
  return /^(?:compute\.instance|instance|port|orchestration\.stack)\./.test(type) && !/\.(?:start|exists)$/.test(type);
}
