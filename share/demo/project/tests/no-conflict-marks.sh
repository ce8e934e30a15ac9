# Nobody has committed a half-done merge.
if grep -rn '^<<<<<<< \|^>>>>>>> ' tally lib tests README.md; then exit 1; fi
