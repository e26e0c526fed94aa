#!/bin/sh
# systemd-tmpfiles --create FILE: lines `C PATH MODE - - - FROM`.
while read -r kind path mode _ _ _ from; do
  [ "$kind" = C ] && mkdir -p "$(dirname "$path")" && cp "$from" "$path" && chmod "$mode" "$path"
done <"$2"
