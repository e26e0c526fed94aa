#!/bin/sh
# CGI for `busybox httpd`: a playlist, and who serves it. Segments come without: they are plain files.
fact() { sed -n 's|.*"'"$1"'":"\([^"]*\)".*|\1|p' "$FACTS_FILE"; }
printf 'content-type: application/vnd.apple.mpegurl\r\ncache-control: no-store\r\n'
# A machine may be asked before it was told what it is.
[ -f "${FACTS_FILE:-}" ] && printf 'x-served-by: %s/%s\r\n' "$(fact site)" "$(fact unit)"
printf '\r\n'
cat "$1"
