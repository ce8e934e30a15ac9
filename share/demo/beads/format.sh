# Print the lines in columns. Begins where the parser came in, as everybody did who began at that moment.
if [ -n "$TOWN_REWORK" ]; then
  # Somebody else has changed the list of parts in the meantime: keep the parts of both.
  town say "the list of parts was changed by somebody else too; keeping both"
  if ! git merge -q -m "Take in what has landed" "origin/$TOWN_TARGET"; then
    parts=$(git show HEAD:tally "origin/$TOWN_TARGET:tally" | sed -n 's/^parts="\(.*\)"$/\1/p' |
      tr ' ' '\n' | sort -u | tr '\n' ' ')
    git checkout -q --theirs tally
    sed "s/^parts=.*/parts=\"${parts% }\"/" tally > tally.new && cat tally.new > tally && rm tally.new
    git add -A
  fi
  git commit -q --allow-empty -m "Keep the parts of both sides" -m "Bead: $TOWN_REWORK"
  sh test.sh
  town done --summary "The parts of both sides are kept"
  exit
fi
git reset -q --hard "$(git log -m --first-parent --diff-filter=A --format=%H -1 -- lib/parse.sh)"
town say "printing columns"
cat > lib/format.sh <<'END'
# Prints the tab-separated lines in two columns, the amounts to the right.
columns() {
  while read -r name amount; do printf '%-12s %6s\n' "$name" "$amount"; done
}
END
cat > tests/format.sh <<'END'
. lib/format.sh
line=$(printf 'apples\t3\n' | columns)
[ "$line" = "apples            3" ] || { echo "came out as: $line"; exit 1; }
END
sed 's/^parts=.*/parts="hello parse format"/' tally > tally.new && cat tally.new > tally && rm tally.new
git add -A
git commit -q -m "Print in columns" -m "Bead: $TOWN_BEAD"
town done --summary "Two columns"
