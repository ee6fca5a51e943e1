#!/bin/bash
# Runs every end-to-end test of the server against real etcd, one after the other, in about 25 minutes.
#   Tests/EndToEnd/run.sh [PATH of the server] [--peer PATH] [--seed N] [--rounds N] [script...]
# Prints what each script prints, a summary, and as its last line the sum: N passed, N failed.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=$root/.peers/python/bin/python
logs=$root/.peers/logs

server=${STRAKE_SERVER:-$root/.build/release/strake}
peer=${STRAKE_PEER:-$root/.peers/etcd-3.5/etcd}
seed=${STRAKE_SEED:-$((1 + (RANDOM << 15 | RANDOM)))}
rounds=50
chosen=()
while [ $# -gt 0 ]; do
  case $1 in
    --server) server=$2; shift 2 ;;
    --peer) peer=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    -*) echo "run.sh: unknown option $1" >&2; exit 2 ;;
    */*) server=$1; shift ;;
    *) chosen+=("$1"); shift ;;
  esac
done

# Script and its wall time in seconds; at most; together they take about 25 minutes.
tests=("golden 90" "golden_membership 60" "differential_cli 90" "differential_members 90" "differential_grpc 150"
  "auth 110" "etcdctl_tools 60" "ctl 90" "ctl_protobuf 60" "ctl_top 60" "client 90" "third_party 30" "gateway 120" "sockets 80" "tls 120"
  "security 90" "flags 120" "discovery 80"
  "lifecycle 60" "large_answers 150" "snapshot 120" "migration 90" "packages 140" "apiserver 100" "cluster 100" "locks 90"
  "force_new_cluster 60" "replace_member 120" "damage 80" "embedding 240" "crash 180" "faults 300" "simulation 300")

"$here/install-peers.sh" || { echo "0 passed, 1 failed"; exit 1; }
mkdir -p "$logs"

passed=0 failed=0 summary=() failing=()
for entry in "${tests[@]}"; do
  read -r name budget <<<"$entry"
  if [ ${#chosen[@]} -gt 0 ] && [[ " ${chosen[*]} " != *" $name "* ]]; then continue; fi
  options=(--server "$server" --peer "$peer" --seed "$seed" --budget "$budget")
  [ "$name" = crash ] && options+=(--rounds "$rounds")
  echo "== $name, at most $budget s"
  started=$SECONDS
  # The script keeps to its budget by itself; the timeout is for the day when it cannot.
  timeout --signal=TERM --kill-after=10 $((budget + 30)) "$python" -u "$here/$name.py" "${options[@]}" 2>&1 |
    tee "$logs/$name.log"
  last=$(tail -n 1 "$logs/$name.log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    [ "${BASH_REMATCH[2]}" = 0 ] || failing+=("$name")
  else
    failed=$((failed + 1)) last="did not finish"
    failing+=("$name")
  fi
  summary+=("$(printf '%-18s %4d s  %s' "$name" $((SECONDS - started)) "$last")")
done

echo "== summary (seed $seed, server $server)"
printf '%s\n' "${summary[@]}"
# Once more and in few lines, where who sees only the end of the output sees it.
for name in "${failing[@]}"; do
  echo "== what failed of $name ($logs/$name.log)"
  { grep -A 2 -E '^FAILED' "$logs/$name.log" || tail -n 8 "$logs/$name.log"; } | cut -c 1-300 | head -n 12
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
