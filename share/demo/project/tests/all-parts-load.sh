# Every part that the program names exists and can be read by the shell.
parts=$(sed -n 's/^parts="\(.*\)"$/\1/p' tally)
[ -n "$parts" ] || { echo "tally names no parts"; exit 1; }
for part in $parts; do
  sh -n "lib/$part.sh" || { echo "lib/$part.sh cannot be read"; exit 1; }
done
