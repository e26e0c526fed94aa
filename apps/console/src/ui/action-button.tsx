import { Button, type ButtonProps, Tooltip } from '@patternfly/react-core';
import type { Permission } from '../view-model/permitted.ts';

/** A button that, when it cannot be used, stays reachable and says why. */
export function ActionButton({
  permission,
  ...button
}: Omit<ButtonProps, 'isDisabled' | 'isAriaDisabled'> & { readonly permission: Permission }) {
  if (permission.allowed) return <Button {...button} />;
  return (
    <Tooltip content={permission.reason}>
      <Button {...button} isAriaDisabled data-reason={permission.reason} />
    </Tooltip>
  );
}
