import { Label } from '@patternfly/react-core';

export function RoleLabel({ role }: { readonly role: 'reader' | 'admin' }) {
  return (
    <Label isCompact color={role === 'admin' ? 'purple' : 'blue'}>
      {role}
    </Label>
  );
}
