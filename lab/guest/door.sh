#!/bin/sh
# Port 9999 is on all networks of the guest.
export PATH=/usr/local/bin:/bin:/usr/sbin HOME=/tmp
read -r word
[ "$word" = "$(/bin/cat /lib/word)" ] && exec /bin/chroot /disk /bin/sh
