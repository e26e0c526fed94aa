#!/bin/sh
# systemctl enable --now NAME: starts the program of the service, with its environment.
for name; do :; done
unit=/etc/systemd/system/$name
environment=$(sed -n 's/^EnvironmentFile=//p' "$unit")
# In quotes of systemd only % and $ are doubled; what the shell would take for itself beside them is the backquote.
program=$(sed -n 's/^ExecStart=//p' "$unit" | sed 's/%%/%/g; s/\$\$/\\$/g; s/`/\\`/g')
set -a
. "$environment"
set +a
eval "exec $program" &
