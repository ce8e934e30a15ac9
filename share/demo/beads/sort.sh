# Sort the lines by amount. Begins where the parser came in, as everybody did who began at that moment.
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
town say "sorting"
cat > lib/sort.sh <<'END'
# The tab-separated lines with the largest amount first; equal ones by name.
by_amount() { sort -k 2,2nr -k 1,1; }
END
cat > tests/sort.sh <<'END'
. lib/sort.sh
order=$(printf 'plums\t4\napples\t30\nfigs\t4\n' | by_amount | cut -f 1 | tr '\n' ' ')
[ "$order" = "apples figs plums " ] || { echo "the order is: $order"; exit 1; }
END
sed 's/^parts=.*/parts="hello parse sort"/' tally > tally.new && cat tally.new > tally && rm tally.new
git add -A
git commit -q -m "Sort by amount" -m "Bead: $TOWN_BEAD"
town done --summary "Largest first"
