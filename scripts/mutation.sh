#!/usr/bin/env bash
# Mutation testing of the root package: mutation.sh GREMLINS [FILE...]
#
# Of the FILEs, which default to all, those count that are code of the root package, so
# that a list of what was changed will do. Brings results.tsv, survivors.tsv and the page of
# both, docs/reference/mutation.md, up to date for the FILEs; reasons that are in
# survivors.tsv stay there. Fails if a survivor has none, if too many mutants timed out, or
# if over all files fewer are killed than .gremlins.yaml says.
set -euo pipefail
export LC_ALL=C

gremlins=$1
shift
data=scripts/mutation
tree=$(mktemp -d)
pid=
cleanup() {
	# gremlins leaves the tests of timed-out mutants running; they are in its process group.
	[[ -z $pid ]] || kill -KILL -- "-$pid" 2>/dev/null || true
	rm -rf "$tree"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

code() { printf '%s\n' *.go | grep -v '_test\.go$'; }
chosen() { printf '%s\n' "$@" | grep -Fx "$(code)" | sort -u; }
if (($# == 0)); then
	mapfile -t files < <(code)
else
	mapfile -t files < <(chosen "$@")
fi
if ((${#files[@]} == 0)); then
	echo "no code of the root package among: $*"
	exit
fi

# The root package alone, in a copy: gremlins has no other way to leave the rest out. The
# tests that look at the whole repository stay behind.
mkdir "$tree/src"
cp .gremlins.yaml go.mod *.go "$tree/src"
rm "$tree/src/imports_test.go"
exclude=()
while read -r file; do
	exclude+=(--exclude-files "^${file//./\\.}\$")
done < <(code | grep -Fvx "$(printf '%s\n' "${files[@]}")")

echo "mutants of ${files[*]}"
REAL_GO=$(command -v go)
export REAL_GO GOWORK=off GOFLAGS=-count=1 # a cached run would make the time limits too short
(cd "$tree/src" && go test -count=3 . >/dev/null) || {
	echo "the tests fail without a mutant, or now and then" >&2
	exit 1
}
path=$PWD/$data:$PATH
report=$tree/report.json
set -m # a process group of its own
(cd "$tree/src" && PATH=$path exec "$gremlins" unleash --output "$report" "${exclude[@]}" .) &
pid=$!
set +m
status=0
wait "$pid" || status=$?
if ((status != 0 && status != 10)); then # 10: under the threshold, which is judged below
	echo "gremlins ended with $status" >&2
	exit 1
fi
[[ -s $report ]] || {
	echo "no mutants in ${files[*]}"
	exit
}

# update TABLE: replaces the rows of the files by those of the standard input, and drops
# the rows of files that are gone.
update() {
	{
		head -n 1 "$1"
		{
			tail -n +2 "$1" | awk -F '\t' '
				FILENAME == "-" { if ($1 in kept) print; next }
				{ kept[$0] }' <(code | grep -Fvx "$(printf '%s\n' "${files[@]}")") -
			cat
		} | sort -t $'\t' -s -k 1,1
	} >"$tree/updated"
	cp "$tree/updated" "$1"
}

commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- '*.go' || commit=$commit+ # and changes
stamp=$(date -u +%F)$'\t'$commit
jq -r --arg stamp "$stamp" '.files[]
	| def n(s): [.mutations[] | select(.status == s)] | length;
	[.file_name, $stamp, n("KILLED"), n("LIVED"), n("TIMED OUT"), n("NOT VIABLE"), n("NOT COVERED")]
	| join("\t")' "$report" >"$tree/results"

# Survivors, each with its line, the operator in marks, and the reason that was there.
jq -r '.files[] | .file_name as $file | .mutations[] | select(.status == "LIVED" or .status == "NOT COVERED")
	| [$file, .line, .column, .type] | @tsv' "$report" | sort -t $'\t' -k 1,1 -k 2,3n |
	while IFS=$'\t' read -r file line column type; do
		awk -v line="$line" -v column="$column" -v start="$file"$'\t'"$type" 'NR == line {
			before = substr($0, 1, column - 1)
			rest = substr($0, column)
			match(rest, /^([<>=!]=|\+\+|--|.)/)
			text = before "«" substr(rest, 1, RLENGTH) "»" substr(rest, RLENGTH + 1)
			sub(/^[ \t]+/, "", text)
			gsub(/\t/, " ", text)
			print start "\t" text "\t" line
		}' "$file"
	done >"$tree/lived"
awk -F '\t' 'BEGIN { OFS = FS }
	NR == FNR { reason[$1, $2, $3] = $5; next }
	{ print $0, ($1, $2, $3) in reason ? reason[$1, $2, $3] : "?" }' \
	"$data/survivors.tsv" "$tree/lived" >"$tree/survivors"

update "$data/results.tsv" <"$tree/results"
update "$data/survivors.tsv" <"$tree/survivors"
./scripts/mutation-page.sh

echo
awk -F '\t' '{ printf "survivor %s:%s %s\n\t%s\n\t%s\n", $1, $4, $2, $3, $5 == "?" ? "NO REASON" : $5 }' "$tree/survivors"

# judge NAME FLOOR TABLE: sums up a table of results, and says whether it will do.
judge() {
	awk -F '\t' -v name="$1" -v floor="$2" '
		$4 ~ /^[0-9]+$/ { killed += $4; lived += $5 + $8; late += $6; broken += $7 }
		END {
			tried = killed + lived
			score = tried ? 100 * killed / tried : 0
			printf "%s: killed %d of %d, %.1f %%; timed out %d, not compiled %d\n", name, killed, tried, score, late, broken
			if (late > 0.05 * (tried + late)) {
				print "too many time-outs to believe the rest: was the machine busy?"
				exit 1
			}
			if (score < floor) {
				printf "under the floor of %s %%\n", floor
				exit 1
			}
		}' "$3"
}
bad=0
floor=$(awk '$1 == "efficacy:" { print $2 }' .gremlins.yaml)
judge "these files" 0 "$tree/results" || bad=1
judge "all files" "$floor" "$data/results.tsv" || bad=1
if grep -q $'\t?$' "$tree/survivors"; then
	echo "survivors without a reason in $data/survivors.tsv"
	bad=1
fi
exit "$bad"
