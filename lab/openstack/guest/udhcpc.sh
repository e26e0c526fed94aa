#!/bin/sh
# What DHCP gave becomes what the device has.
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
[ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"
ip addr add "$ip/${mask:-24}" dev "$interface" 2>/dev/null
[ -n "$router" ] && ip route add default via "${router%% *}" dev "$interface"
# RFC 3442: pairs of a target and a gateway.
set -- $staticroutes
while [ $# -ge 2 ]; do
  ip route add "$1" via "$2" dev "$interface"
  shift 2
done
echo "lab guest: $ip on $interface by DHCP" >/dev/console
