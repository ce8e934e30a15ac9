#!/usr/bin/env bash
# What docs/debugging.md shows is what its commands print.
# They are the lines that begin with `$ town` in its console blocks, with what stands below each. With --write the page
# gets what they print now.
cd "${TOWN_SOURCE:?the folder of the sources}" || exit 1
: "${TOWN_BIN:?the folder with town}"
page=docs/debugging.md
told=$(mktemp)
trap 'rm -f "$told"' EXIT
PATH="$TOWN_BIN:$PATH"
export HOME=/nonexistent
commands=0
inside=0
skipping=0
while IFS= read -r line; do
  case $line in
    '```console') inside=1 ;;
    '```') inside=0 skipping=0 ;;
  esac
  if [ "$inside" = 1 ] && [[ $line == '$ town '* ]]; then
    printf '%s\n' "$line" >> "$told"
    (eval "${line#'$ '}") >> "$told" 2>&1 < /dev/null
    commands=$((commands + 1))
    skipping=1
  elif [ "$skipping" = 0 ]; then
    printf '%s\n' "$line" >> "$told"
  fi
done < "$page"
[ "$commands" -ge 9 ] || { echo "only $commands commands in $page"; exit 1; }
if [ "$1" = --write ]; then
  cat "$told" > "$page"
else
  diff -u "$page" "$told" && echo "$commands commands print what $page says"
fi
