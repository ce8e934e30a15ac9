# An example in the README, and a test that it tells the truth.
town say "writing the example"
cat >> README.md <<'END'

For example, `pears 4` and `apples 30` come out as

    apples           30
    pears             4
    total            34
END
cat > tests/readme.sh <<'END'
shown=$(sed -n '/come out as$/,$s/^    //p' README.md)
[ "$shown" = "$(printf 'pears 4\napples 30\n' | ./tally)" ] || { echo "the README shows something else"; exit 1; }
END
sh test.sh
git add -A
git commit -q -m "Show an example in the README" -m "Bead: $TOWN_BEAD"
town done --summary "The README shows an example that is tested"
