#!/bin/sh
# Runs every test of tests/ in a shell of its own and fails when one of them fails.
cd "$(dirname "$0")" || exit 1
failed=0
ran=0
for file in tests/*.sh; do
  ran=$((ran + 1))
  if sh "$file"; then
    echo "ok   $file"
  else
    echo "FAIL $file"
    failed=$((failed + 1))
  fi
done
echo "$ran test files, $failed failed"
[ "$failed" -eq 0 ]
