echo precious > log.csv
for bad in '--act sigmiod' '--norm batch --batch 1' '--data missing.csv' '--layers 1000000 --width 1000000'; do
    # shellcheck disable=SC2086 # words of their own
    if gradsim -o log.csv $bad 2> /dev/null; then echo "accepted: $bad"; fi
done
cat log.csv
