#!/bin/sh
# need.sh WHY COMMAND=PACKAGE...
#
# Installs the packages whose commands are missing, saying which and why: on Debian and Ubuntu, as root or
# through sudo. Elsewhere it says what is needed. With OPTIONAL=1 it never fails: what cannot be installed
# is printed, and whoever needs it skips and says so. NAME.pc in place of a command is a library that pkg-config finds.
set -eu

why=$1
shift
missing=
for pair in "$@"; do
    command=${pair%%=*}
    package=${pair#*=}
    case $command in
    *.pc) pkg-config --exists "${command%.pc}" 2>/dev/null ;;
    *) command -v "$command" >/dev/null 2>&1 ;;
    esac || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

give_up() {
    echo "twocan needs$missing $why: $1" >&2
    [ "${OPTIONAL:-0}" = 1 ] && exit 0
    exit 1
}

if ! command -v apt-get >/dev/null 2>&1; then
    give_up "please install them with your system's package manager (the names are Debian's), then try again."
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    give_up "please run \`apt-get install$missing\` as root, then try again."
fi

echo "Installing$missing $why." >&2
# An old package list does no harm when the packages are there.
$as_root apt-get update -qq || true
# shellcheck disable=SC2086 # one word for each package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    give_up "apt-get could not install them."
