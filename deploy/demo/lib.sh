# What deploy/quickstart and deploy/demo/node share. Sourced, not run.
# shellcheck shell=bash disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
weir=$(realpath -m "${WEIR_BINARY:-$root/build/release/weir}")
dir=${QUICKSTART_DIR:-$root/build/quickstart}
port=${QUICKSTART_PORT:-8080}
admin_port=${QUICKSTART_ADMIN_PORT:-9180}
node_base=${QUICKSTART_NODE_PORT:-13000} # nodes listen on +1 to +3, their WebSocket ends on +11 to +13
nodes=(1 2 3)

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

node_port() { echo $((node_base + $1)); }
echo_port() { echo $((node_base + 10 + $1)); }

# The number in pid file $1 if that process lives.
running() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && echo "$pid"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Waits until port $1 is served; $2 is who should, $3 its log.
# PORT NAME LOG [SECONDS]
wait_for_port() {
  for ((i = 0; i < ${4:-5} * 20; i++)); do
    listening "$1" && return
    sleep 0.05
  done
  tail -n 5 "$3" >&2 || true
  die "$2 does not listen on port $1; its log is $3"
}

# A process of ours in the background, in a session of its own: launch LOG COMMAND...
launch() {
  local log=$1
  shift
  setsid "$@" >>"$log" 2>&1 </dev/null &
  disown
}

# Ends what pid file $1 names with signal $2 and waits for it.
end() {
  local pid
  pid=$(running "$1") || return 0
  kill -s "$2" "$pid"
  for ((i = 0; i < 200; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -0 "$pid" 2>/dev/null && die "$1 (process $pid) does not end"
  rm -f "$dir/$1.pid"
}

# Fills the @names@ of template $1 in; the rest are NAME=VALUE.
fill() {
  local text name
  text=$(<"$root/deploy/demo/$1")
  shift
  for pair in "dir=$dir" "port=$port" "admin_port=$admin_port" "$@"; do
    name=${pair%%=*}
    text=${text//@$name@/${pair#*=}}
  done
  printf '%s\n' "$text"
}
