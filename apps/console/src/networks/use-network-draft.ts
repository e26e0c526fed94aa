import { ApiError, type Plan, type ServiceDetail } from '@superfluidity/api';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import type { Conflict } from '../designer/merge-dialog.tsx';
import { toBase64 } from '../view-model/read-files.ts';
import { changesBetween, draftOf, editNetworks, type NetworkEdit } from './core/network-edits.ts';

/** Of the descriptor from which the service is made now. */
interface Base {
  readonly id: string;
  readonly text: string;
}

/**
 * A change of the networks of a service that was not pushed yet. It goes through the plan and the proof of the policies, and is
 * pushed with the descriptor that it was made from: when somebody else was quicker, both changes are put side by side.
 */
export function useNetworkDraft(service: ServiceDetail, onPushed: (operation: string) => void) {
  const client = useClient();
  // What is edited stays where it is when somebody else pushes another version.
  const source = useQuery({
    ...useQueriesOf().descriptor(service.descriptorId),
    placeholderData: keepPreviousData,
  });
  const [kept, setKept] = useState<{ readonly base: Base; readonly text: string }>();
  const [refusal, setRefusal] = useState<string>();
  const [conflict, setConflict] = useState<Conflict>();
  const fresh = useMemo(
    () => (source.data === undefined ? undefined : { id: source.data.id, text: nativeText(source.data) }),
    [source.data],
  );
  const base = kept?.base ?? fresh;
  const text = kept?.text ?? fresh?.text ?? '';
  const isChanged = kept !== undefined && kept.text !== kept.base.text;
  const draft = useMemo(() => draftOf(text), [text]);
  const changes = useMemo(() => (base === undefined ? [] : changesBetween(base.text, text)), [base, text]);
  const body = () => ({ files: [{ path: 'service.yaml', base64: toBase64(new TextEncoder().encode(text)) }] });
  const params = { name: service.name };
  const plan = useMutation({
    mutationFn: (): Promise<Plan> => client.call('planUpdate', { params, body: { source: body() } }),
  });
  const push = useMutation({
    mutationFn: async () => {
      try {
        const digest = plan.data?.digest;
        const sent = { source: body(), after: base!.id, ...(digest === undefined ? {} : { digest }) };
        return await client.call('updateService', { params, body: sent });
      } catch (error) {
        if (!(error instanceof ApiError) || error.report.code !== 'SF-LIFECYCLE-CHANGED') throw error;
        const now = await client.call('getService', { params, query: { units: 0 } });
        // The same descriptor: what would be done has changed, because units have moved. It is planned anew.
        if (now.descriptorId === base!.id) throw error;
        const theirs = await client.call('getDescriptor', { params: { id: now.descriptorId } });
        return { theirs: { id: theirs.id, version: theirs.version, text: nativeText(theirs) } };
      }
    },
    onSuccess: (result) => {
      if ('theirs' in result) {
        setConflict({
          base: base!.text,
          mine: text,
          with: (merged) => ({ text: merged, language: 'native' }),
          theirs: result.theirs,
        });
        return;
      }
      setKept(undefined);
      onPushed(result.operation);
    },
  });
  const put = (next: string, on: Base) => {
    plan.reset();
    push.reset();
    setKept({ base: on, text: next });
  };
  return {
    source,
    draft,
    text,
    changes,
    /** Somebody else has pushed since: both changes are put side by side when this one is pushed. */
    isBehind: isChanged && kept.base.id !== service.descriptorId,
    refusal,
    plan,
    push,
    conflict,
    isNative: source.data?.format === 'native',
    edit(edit: NetworkEdit) {
      if (base === undefined) return;
      const result = editNetworks(text, edit);
      setRefusal('refused' in result ? result.refused : undefined);
      if ('text' in result) put(result.text, base);
    },
    drop() {
      plan.reset();
      push.reset();
      setRefusal(undefined);
      setKept(undefined);
    },
    /** Both changes, over what they have pushed. It is planned and proven before it is pushed. */
    takeBoth(merged: string) {
      const { id, text: theirs } = conflict!.theirs;
      setConflict(undefined);
      put(merged, { id, text: theirs });
    },
    takeTheirs() {
      setConflict(undefined);
      setKept(undefined);
      plan.reset();
      push.reset();
    },
    leave: () => setConflict(undefined),
  };
}

export type NetworkDraft = ReturnType<typeof useNetworkDraft>;

/** Edits are made of native descriptors: those of other formats are changed where they were written. */
const nativeText = ({ source, format }: { readonly source: string; readonly format: string }): string =>
  format === 'native' ? source : '';
