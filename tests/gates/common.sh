# tests/gates/common.sh: sourced by the gates that are shell scripts; they run from the project's root.
set -u
built=build/tests/gates
mkdir -p $built
failed=0
scratch=$(mktemp -d /tmp/myst-gate-XXXXXX)
trap 'rm -rf "$scratch"' EXIT

# A program of this folder, or of standard input when that is `-`: guest NAME FLAGS…
guest() {
    local name=$1
    shift
    gcc -D_GNU_SOURCE -O1 -Wall -o $built/"$name" tests/gates/"${name%%.*}".c "$@" || exit 1
}

# A hung instance prints its report before it is killed.
inside() {
    timeout -s QUIT -k 5 "${LIMIT:-60}" build/myst exec ${OPTIONS:-} / "$@" </dev/null
}

# expect WHAT STATUS OUTPUT COMMAND…
expect() {
    local what=$1 status=$2 output=$3 got ended
    shift 3
    got=$("$@" 2>&1)
    ended=$?
    if [ $ended -ne "$status" ] || [ "$got" != "$output" ]; then
        printf '%s: status %d, expected %d; printed:\n%s\n' "$what" $ended "$status" "$got"
        failed=1
    fi
}

# same WHAT COMMAND…: natively and inside the same output and status
same() {
    local what=$1 output status
    shift
    output=$("$@" 2>&1 </dev/null)
    status=$?
    expect "$what" $status "$output" inside "$@"
}
