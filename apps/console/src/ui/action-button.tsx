import { Button, type ButtonProps, Tooltip } from '@patternfly/react-core';
import { usePermitted } from '../data/me.ts';
import type { Permission } from '../view-model/permitted.ts';

/** A button that changes something. When it cannot be used, it stays reachable and says why. */
export function ActionButton({
  permission: sensible = { allowed: true },
  ...button
}: Omit<ButtonProps, 'isDisabled' | 'isAriaDisabled'> & { readonly permission?: Permission }) {
  const permission = usePermitted(sensible);
  if (permission.allowed) return <Button {...button} />;
  return (
    <Tooltip content={permission.reason}>
      <Button {...button} isAriaDisabled data-reason={permission.reason} />
    </Tooltip>
  );
}
