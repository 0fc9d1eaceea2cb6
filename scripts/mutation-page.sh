#!/usr/bin/env bash
# Writes docs/reference/mutation.md from the tables in scripts/mutation.
set -euo pipefail
export LC_ALL=C

data=scripts/mutation
{
	cat <<'PAGE'
# Mutation testing

How well the tests of the root package notice changes of its code. [gremlins](https://gremlins.dev) v0.6.0 changes one
operator at a time, `<` to `<=`, `==` to `!=`, `+` to `-`, `++` to `--`, and runs the tests of the package. If they fail, the
mutant is killed; if they pass, it survived, and either a test is missing or the change makes no difference.

```sh
make mutation                                      # everything; an hour on two idle cores, and more on busy ones
make mutation FILES="window.go pace.go"            # some files
make mutation FILES="$(git diff --name-only main)" # what a branch has changed
```

It is not part of `make check`. It fails if fewer than 90 % of all mutants are killed, if more than 5 % run into the time limit, or if a
survivor has no reason in `scripts/mutation/survivors.tsv`. Reasons are written there by hand and outlive further runs;
`scripts/mutation-page.sh` then writes this page anew.

What differs from gremlins by itself, and why (`scripts/mutation/go`):

* Mutants that do not compile are not counted. Go 1.26 ends with 1 for them, which gremlins takes for a failed test.
* Code without coverage is tried too, and survives. gremlins skips what the profile does not name, and a profile names neither the
  conditions of a `switch` nor constants.
* A mutant that runs into the time limit counts as neither killed nor survived, as with gremlins.

PAGE
	echo "## Figures"
	echo
	echo "| file | killed | survived | score | timed out | not compiled | measured on | at commit |"
	echo "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |"
	awk -F '\t' '
		function row(file, killed, lived, late, broken, when, commit) {
			gsub(/\*/, "\\\\*", commit)
			tried = killed + lived
			score = tried ? sprintf("%.1f %%", 100 * killed / tried) : ""
			printf "| %s | %d | %d | %s | %d | %d | %s | %s |\n", file, killed, lived, score, late, broken, when, commit
		}
		NR > 1 {
			row($1, $4, $5 + $8, $6, $7, $2, $3)
			killed += $4; lived += $5 + $8; late += $6; broken += $7
		}
		END { row("**all**", killed, lived, late, broken, "", "") }' "$data/results.tsv"
	if grep -q '\*$' <(cut -f 3 "$data/results.tsv"); then
		cat <<'PAGE'

\*\* Not compiled one by one: all mutants were compiled into one program, in which the environment says which of them is in force. That is
ten times as fast, and where mutants were tried both ways the verdict was the same. gremlins did not choose these mutants either, but a program with its
rules, which leaves out constants. Of a mutant, the tests of its own file ran first, and all others when those passed. The next `make mutation` replaces these rows.
PAGE
	fi
	echo
	echo "## Survivors"
	echo
	echo "The operator that was changed stands in «marks»."
	awk -F '\t' '
		NR == 1 { next }
		$1 != file { file = $1; printf "\n### %s\n\n", file }
		{ printf "* line %d, %s: `%s`  \n  %s\n", $4, tolower($2), $3, $5 }' "$data/survivors.tsv" | sed '/^\* line/s/_/ /g'
} >docs/reference/mutation.md
