# Read lines of "name amount"; refuse everything else.
town say "reading and checking lines"
cat > lib/parse.sh <<'END'
# Reads lines of "name amount" and prints them with a tab between. Any other line is refused by its number.
parse() {
  number=0
  while read -r name amount rest; do
    number=$((number + 1))
    case $amount in
      '' | *[!0-9]*) rest=wrong ;;
    esac
    if [ -n "$rest" ]; then
      echo "line $number is not a name and an amount" >&2
      return 1
    fi
    printf '%s\t%s\n' "$name" "$amount"
  done
}
END
cat > tests/parse.sh <<'END'
. lib/parse.sh
read_back=$(printf 'apples 3\npears 4\n' | parse | tr '\t' '=' | tr '\n' ' ')
[ "$read_back" = "apples=3 pears=4 " ] || { echo "two lines became: $read_back"; exit 1; }
for wrong in 'apples' 'apples three' 'apples 3 4'; do
  if echo "$wrong" | parse 2>/dev/null; then echo "took: $wrong"; exit 1; fi
done
END
sed 's/^parts=.*/parts="hello parse"/' tally > tally.new && cat tally.new > tally && rm tally.new
git add -A
git commit -q -m "Read lines of a name and an amount" -m "Bead: $TOWN_BEAD"
town done --summary "Lines are read and checked"
