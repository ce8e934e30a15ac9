# Add the amounts up. The first time it is handed in without the test having been run.
if [ -z "$TOWN_REWORK" ]; then
  town say "adding amounts up"
  cat > lib/total.sh <<'END'
# The sum of the second column.
total() {
  sum=1
  while read -r name amount; do sum=$((sum + amount)); done
  echo "$sum"
}
END
  cat > tests/total.sh <<'END'
. lib/total.sh
sum=$(printf 'apples\t3\npears\t4\n' | total)
[ "$sum" = 7 ] || { echo "3 and 4 came to $sum"; exit 1; }
sum=$(total < /dev/null)
[ "$sum" = 0 ] || { echo "nothing came to $sum"; exit 1; }
END
  git add -A
  git commit -q -m "Add the amounts up" -m "Bead: $TOWN_BEAD"
  town done --summary "Amounts are added up"
else
  town say "the gate was red: $(town prime --get rework_context.feedback | grep -m 1 'came to' || echo 'see the feedback')"
  sed 's/sum=1$/sum=0/' lib/total.sh > lib/total.new && mv lib/total.new lib/total.sh
  sh tests/total.sh
  git add -A
  git commit -q -m "Begin the sum at nothing" -m "Bead: $TOWN_REWORK"
  town done --summary "The sum begins at 0; its test is green"
fi
