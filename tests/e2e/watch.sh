#!/usr/bin/env bash
# town status --watch stays: a whole screen on a terminal, a page or a line of JSON at each change elsewhere; daemons come and go.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop

# seen WORDS: the terminal has shown them, colours aside. It is 60 columns wide and 9 rows high.
mkfifo "$world/keys"
TERM=xterm script -qefc "stty cols 60 rows 9; town status --watch; echo it ended with \$?" "$world/screen" \
  < "$world/keys" > /dev/null &
terminal=$!
others+=($terminal)
exec {keys}> "$world/keys"
seen() { sed 's/\x1b\[[0-9;?]*[a-zA-Z]/ /g' "$world/screen" | grep -q -- "$1"; }
shows() { within 30 seen "$1" || fail "the screen does not show \"$1\": $(cat -v "$world/screen")"; }
town status --watch > "$world/pages" 2> "$world/pages.err" &
plain=$!
others+=($plain)
town status --watch --json > "$world/lines" 2> "$world/lines.err" &
lines=$!
others+=($lines)
shows 'q leaves'
grep -q $'\x1b\\[?1049h' "$world/screen" || fail "it is not on the other screen"

bead=$(sling $'Steer \xe2\x80\xae' "$waits") || exit 1
within 30 waiting "$bead" || fail "nobody works"
shows 'in_progress'
seen 'Steer \\u202e' || fail "the title is not shown escaped"
printed() { grep -q "in_progress" "$world/pages"; }
within 30 printed || fail "no page is printed: $(cat "$world/pages")"
grep -q $'\x1b' "$world/pages" && fail "there are escape codes in a file"
counted() { grep -q '"inProgress":1' "$world/lines"; }
within 30 counted || fail "no line of JSON: $(cat "$world/lines")"
[ "$(wc -l < "$world/lines")" = "$(grep -c '^{.*}$' "$world/lines")" ] || fail "a line is no JSON object"
[ "$(sort "$world/lines" | uniq -d | wc -l)" = 0 ] || [ "$(uniq -d "$world/lines" | wc -l)" = 0 ] || fail "a line is said twice"

# The window becomes smaller: what does not fit is counted.
name=$(ps -o tty= --ppid $terminal | head -n 1 | tr -d ' ')
stty -F "/dev/$name" rows 4
shows 'more lines below'

# The daemon goes away and comes back.
town down > /dev/null
shows 'trying again'
lost() { grep -q . "$world/pages.err" && grep -q '"error"' "$world/lines.err"; }
within 20 lost || fail "it is not said that the daemon is away"
before=$(wc -l < "$world/lines")
up
town pause > /dev/null
shows 'paused'
more() { [ "$(wc -l < "$world/lines")" -gt "$before" ] && tail -n 1 "$world/lines" | grep -q '"paused":true'; }
within 30 more || fail "it does not go on with the new daemon: $(tail -n 1 "$world/lines")"
[ "$(grep -c 'does not answer\|ended the stream' "$world/pages.err")" = 1 ] || fail "it says more than once that the daemon is away: $(cat "$world/pages.err")"

kill $plain $lines
printf q >&"$keys"
shows 'it ended with 0'
grep -q $'\x1b\\[?1049l' "$world/screen" || fail "the screen is not given back"
go "$bead"
