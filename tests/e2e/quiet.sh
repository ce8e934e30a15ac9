#!/usr/bin/env bash
# An agent that says nothing for long is left alone as long as it lives.
. "$(dirname "$0")/world.sh"
make_repository shop
printf 'heartbeat = "200ms"\nheartbeat_stale = "2s"\nlost_agent = "2s"\n' >> "$world/townd.toml"
up
make_town shop
work='echo $TOWN_RUN > $TOWN_BEAD; git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"; town done'
quiet=$(sling "Thinks" "$waits; $work")
within 60 waiting "$quiet" || fail "nobody works: $(town why "$quiet")"
# Meanwhile others do theirs, one after another, for longer than a dead agent would be waited for.
begun=$SECONDS
while [ $((SECONDS - begun)) -lt 6 ]; do
  other=$(sling "Does not think" "$work")
  ends "$other" closed
done
is "$quiet" in_progress || fail "$quiet is $(status_of "$quiet")"
go "$quiet"
ends "$quiet" closed
[ "$(runs_of "$quiet" | wc -l)" = 1 ] || fail "it was taken from its agent: $(town show "$quiet" --json)"
[ "$(merges_of shop "$quiet")" = 1 ] || fail "merged $(merges_of shop "$quiet") times"
