# Of cloud-init what the guest understands: user data that is JSON after the line #cloud-config, with write_files and
# runcmd. Files are written; what is left to be run is printed, a command to a line, quoted for the shell.
BEGIN { RS = "\001" }
{
  text = substr($0, index($0, "\n") + 1)
  at = 1
  value("")
  for (i = 0; ("write_files." i ".path") in found; i++) write("write_files." i ".")
  for (i = 0; ("runcmd." i ".0") in found; i++) {
    line = ""
    for (j = 0; ("runcmd." i "." j) in found; j++) line = line " " quoted(found["runcmd." i "." j])
    print line
  }
}

function write(entry, path, folder, into) {
  path = found[entry "path"]
  folder = path
  sub(/\/[^\/]*$/, "", folder)
  system("mkdir -p " quoted(folder))
  into = (found[entry "encoding"] == "b64" ? "base64 -d" : "cat") " >" quoted(path)
  printf "%s", found[entry "content"] | into
  close(into)
  system("chmod " quoted(found[entry "permissions"]) " " quoted(path))
}

function quoted(word) {
  gsub(/'/, "'\\''", word)
  return "'" word "'"
}

# Each takes its part of the text and leaves `at` behind it; `path` leads to the value from the top.
function value(path, first, count) {
  first = substr(text, at, 1)
  if (first == "\"") {
    found[path] = word()
  } else if (first == "{" || first == "[") {
    for (count = 0; substr(text, ++at, 1) !~ /[]}]/; count++)
      member(path == "" ? "" : path ".", first == "{", count)
    at++
  } else {
    match(substr(text, at, 40), /^[^],}]*/)
    found[path] = substr(text, at, RLENGTH)
    at += RLENGTH
  }
}

# Ends on the comma, or before the bracket, so that the loop of its caller finds one of them behind the next step.
function member(before, named, count, name) {
  name = count
  if (named) {
    name = word()
    at++
  }
  value(before name)
  if (substr(text, at, 1) != ",") at--
}

function word(out, rest, piece) {
  out = ""
  at++
  while (1) {
    rest = substr(text, at, 4096)
    match(rest, /^[^"\\]*/)
    out = out substr(rest, 1, RLENGTH)
    at += RLENGTH
    if (RLENGTH == length(rest) && RLENGTH > 0) continue
    piece = substr(text, at, 2)
    if (substr(piece, 1, 1) != "\\") break
    at += 2
    if (piece == "\\n") out = out "\n"
    else if (piece == "\\t") out = out "\t"
    else if (piece == "\\r") out = out "\r"
    else if (piece == "\\u") at += 4
    else out = out substr(piece, 2)
  }
  at++
  return out
}
