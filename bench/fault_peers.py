"""The proxies of bench/faults, each set up as a careful operator would for nodes that may fail:
time-outs of 1 s to connect and 2 s to answer, a node out as soon as the program can tell, POSTs not
repeated once they may have been executed.

nginx and haproxy get what nearest corresponds to weir's configuration; nginx has no active checks.
"""

import os
import pathlib
import signal
import string
import subprocess
import time

import rig

WEIR = """
pid: $dir/pid
$user_yaml
error_log: $dir/error.log notice
admin: { listen: 127.0.0.1:$admin }
upstreams:
  app:
    profile: nocobase
    servers: [127.0.0.1:$node0, 127.0.0.1:$node1, 127.0.0.1:$node2]
    keepalive_timeout: 4s
    health_check: { uri: /api/__health_check, status: 200, interval: 1s, fast: 200ms, timeout: 1s, fails: 2 }
servers:
  - listen: 127.0.0.1:$port
    access_log: $log
    locations:
      - path: /
        proxy_pass: http://app
        proxy_connect_timeout: 1s
        proxy_read_timeout: 2s
        proxy_tunnel_timeout: 1h
"""

NGINX = """
daemon off; pid $dir/pid; $user_nginx
error_log $dir/error.log notice;
worker_processes auto;
events { worker_connections 30000; }
http {
    access_log $log;
    client_body_temp_path $dir/body; proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi; uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
    map $$http_upgrade $$connection_upgrade { default upgrade; '' ''; }
    upstream app {
        server 127.0.0.1:$node0; server 127.0.0.1:$node1; server 127.0.0.1:$node2;
        keepalive 32; keepalive_timeout 4s;
    }
    server {
        listen 127.0.0.1:$port backlog=4096;
        proxy_http_version 1.1;
        proxy_set_header Host $$host;
        proxy_set_header Upgrade $$http_upgrade;
        proxy_set_header Connection $$connection_upgrade;
        proxy_connect_timeout 1s;
        proxy_read_timeout 2s;
        location / { proxy_pass http://app; }
        location = /ws { proxy_pass http://app; proxy_read_timeout 1h; }
    }
}
"""

HAPROXY = """
global
    $maxconn
    no strict-limits
    log $dir/log.sock local0
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 2s
    timeout tunnel 1h
    timeout check 1s
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response response-timeout
frontend clients
    bind 127.0.0.1:$port backlog 4096
    http-request disable-l7-retry unless METH_GET
    default_backend app
backend app
    balance roundrobin
    option httpchk GET /api/__health_check
    http-check expect status 200
    default-server check inter 1s fastinter 200ms fall 2 rise 1
    server a 127.0.0.1:$node0
    server b 127.0.0.1:$node1
    server c 127.0.0.1:$node2
"""


class Peer:
    def __init__(self, name, template, command, reload_signal):
        self.name = name
        self.template = template
        self.command = command  # words in which {conf} and {dir} are filled in
        self.reload_signal = reload_signal
        self.process = None

    def start(self, home, nodes, log=None, descriptors=None):
        home.mkdir(parents=True)
        self.home = home
        self.port, self.admin = rig.free_port(), rig.free_port()
        root = os.geteuid() == 0
        values = {"dir": home, "port": self.port, "admin": self.admin,
                  "log": log or home / "access.log", "user_yaml": "user: root" if root else "",
                  "user_nginx": "user root;" if root else ""}
        # Two a connection. haproxy's master wants 213 more, and ends where it does not get them.
        values["maxconn"] = f"maxconn {(descriptors - 40) // 2 if descriptors else 25000}"
        values.update({f"node{i}": node.port for i, node in enumerate(nodes)})
        self.conf = home / "conf"
        self.good = string.Template(self.template).substitute(values)
        self.conf.write_text(self.good)
        self.output = home / "output.log"
        words = [str(word).format(conf=self.conf, dir=home) for word in self.command]
        if descriptors:
            words = [word for word in words if word != "-W"]
            words = [rig.need("prlimit", "util-linux"), f"--nofile={descriptors}", *words]
        self.process = rig.Process(words, os.sched_getaffinity(0), log=self.output)
        rig.wait_for_port(self.port, self.process, self.output)

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None

    def reload(self):
        self.process.popen.send_signal(self.reload_signal)

    def spoil(self, number):
        """A configuration with a mistake whose text no other has."""
        word = f"mistake_{number}"
        self.conf.write_text({"weir": f"{word}: yes\n", "nginx": f"{word} on;\n",
                              "haproxy": f"{word}\n"}[self.name] + self.good)
        return word

    def mend(self):
        self.conf.write_text(self.good)

    def said(self):
        """All that it has logged about itself."""
        return "".join(path.read_text(errors="replace") for path in
                       (self.output, self.home / "error.log") if path.exists())

    def workers(self):
        """pids of the processes that serve: children of the one that was started."""
        return self.process.pids()[1:]

    def kill_worker(self):
        """The youngest; returns when it is gone."""
        pid = max(self.workers())
        os.kill(pid, signal.SIGKILL)
        state = pathlib.Path(f"/proc/{pid}/stat")
        try:
            # Its files are closed when it is a zombie and has no other thread any more.
            while True:
                fields = state.read_text().rpartition(")")[2].split()
                if fields[0] == "Z" and int(fields[17]) <= 1:
                    break
                time.sleep(0.0005)
        except OSError:
            pass


def make(weir, wanted):
    """The peers whose program is here, by name."""
    peers = {}
    if weir is not None and "weir" in wanted:
        peers["weir"] = Peer("weir", WEIR, [weir, "-c", "{conf}"], signal.SIGHUP)
    for name, template, command, number in (
            ("nginx", NGINX, ["-c", "{conf}", "-e", "{dir}/error.log"], signal.SIGHUP),
            ("haproxy", HAPROXY, ["-W", "-db", "-f", "{conf}"], signal.SIGUSR2)):
        if name not in wanted:
            continue
        try:
            peers[name] = Peer(name, template, [rig.need(name, name), *command], number)
        except rig.RigError as why:
            rig.note(f"{name} is left out: {why}")
    return peers


def version(peer):
    """As the program tells it."""
    program = peer.command[0]
    done = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().split("\n")[0]

