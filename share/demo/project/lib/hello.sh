main() { echo "tally can do nothing yet"; }
