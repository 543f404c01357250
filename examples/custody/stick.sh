#!/usr/bin/env bash
# Open a sealed file from a USB stick, on a machine without Halligan. It does what
# OPEN.txt in the file says, with age, python3 and sha256sum alone.
#
#   bash stick.sh pair FILE PAIR.age KEY-OF-THE-FIRST KEY-OF-THE-SECOND
#   bash stick.sh shares FILE [SHARE-FILE]...     asks for the words of the other shares
#
# What was sealed goes to the terminal and to no file.
set -euo pipefail
form=$1 file=$(realpath "$2")
shift 2
given=()
for path in "$@"; do
  if [ -e "$path" ]; then given+=("$(realpath "$path")"); else given+=("$path"); fi
done

# A folder in memory where there is one: nothing of this belongs on a disk.
folder=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$folder"' EXIT
python3 -m zipfile -e "$file" "$folder"
cd "$folder"
sha256sum -c SHA256SUMS
echo
cat OPEN.txt
echo

case $form in
  pair) age -d -i "${given[2]}" "${given[0]}" | age -d -i "${given[1]}" ;;
  shares) python3 combine.py "${given[@]}" | age -d -i - secret.age ;;
  *) echo "pair or shares?" >&2; exit 2 ;;
esac
