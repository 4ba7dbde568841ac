"""The proxies that are compared, each with the configuration that makes it do the same work.

Each balances over three addresses of one origin, keeps connections to it, and sets Host,
X-Real-IP, X-Forwarded-For and X-Forwarded-Proto. None writes an access log.
"""

import os
import string

import rig

NGINX_SYNTAX = """
worker_processes $workers;
error_log $dir/error.log error;
$main
events { worker_connections 20000; }
http {
    access_log off;
    keepalive_timeout 300s;
    keepalive_requests 100000000;
    map $$http_upgrade $$connection_upgrade { default upgrade; '' ''; }
    $http
    upstream origin {
        server 127.0.0.1:$origin0;
        server 127.0.0.1:$origin1;
        server 127.0.0.1:$origin2;
        keepalive 256;
        keepalive_requests 100000000;
    }
    server {
        listen 127.0.0.1:$port backlog=4096;
        listen 127.0.0.1:$tls_port ssl http2 backlog=4096;
        ssl_certificate $certificate;
        ssl_certificate_key $certificate;
        ssl_protocols TLSv1.2 TLSv1.3;
        http2_max_concurrent_streams 128;
        proxy_http_version 1.1;
        location / {
            proxy_pass http://origin;
            proxy_set_header Connection "";
            proxy_set_header Host $$host;
            proxy_set_header X-Real-IP $$remote_addr;
            proxy_set_header X-Forwarded-For $$proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $$scheme;
        }
        location /ws {
            proxy_pass http://origin;
            proxy_set_header Upgrade $$http_upgrade;
            proxy_set_header Connection $$connection_upgrade;
            proxy_set_header Host $$host;
            proxy_set_header X-Real-IP $$remote_addr;
            proxy_set_header X-Forwarded-For $$proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $$scheme;
        }
    }
}
"""

# Both leave for the background, and run what serves as another account, unless told otherwise.
WEIR_MAIN = "daemon off; pid $dir/weir.pid; $user"
# nginx also buffers on disk.
NGINX_MAIN = "daemon off; pid $dir/nginx.pid; $user worker_rlimit_nofile 20000;"
NGINX_HTTP = """client_body_temp_path $dir/body; proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi; uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
    proxy_max_temp_file_size 0;"""
BIG_BUFFERS = """
    proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 128k;"""

HAPROXY = """
global
    nbthread $workers
    maxconn 10500
    no strict-limits
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout tunnel 300s
    timeout http-keep-alive 300s
    option forwardfor
    http-reuse always
frontend clients
    bind 127.0.0.1:$port backlog 4096
    bind 127.0.0.1:$tls_port backlog 4096 ssl crt $certificate alpn h2,http/1.1
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-Proto https if { ssl_fc }
    http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
    default_backend origin
backend origin
    balance roundrobin
    server a 127.0.0.1:$origin0
    server b 127.0.0.1:$origin1
    server c 127.0.0.1:$origin2
"""


class Peer:
    def __init__(self, name, template, command):
        self.name = name
        self.template = template
        self.command = command  # words in which {conf}, {port}, {origins} are filled in
        self.process = None
        self.port = None
        self.tls_port = None

    def start(self, directory, origins, cores, workers, env=None):
        home = directory / self.name
        home.mkdir(parents=True, exist_ok=True)
        self.port, self.tls_port = rig.free_port(), rig.free_port()
        values = {"dir": home, "port": self.port, "workers": workers,
                  "tls_port": self.tls_port, "certificate": rig.certificate(directory),
                  "user": "user root;" if os.geteuid() == 0 else ""}
        values.update({f"origin{i}": port for i, port in enumerate(origins)})
        conf = home / "conf"
        if self.template:
            conf.write_text(string.Template(self.template).substitute(values))
        words = []
        for word in self.command:
            words += ([str(port) for port in origins] if word == "{origins}" else
                      [str(word).format(conf=conf, port=self.port)])
        log = home / "output.log"
        self.process = rig.Process(words, cores, env=env, log=log)
        rig.wait_for_port(self.port, self.process, log)

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None


def _nginx_text(main, http):
    return NGINX_SYNTAX.replace("$main", main).replace("    $http\n", f"    {http}\n")


def make(weir):
    """All peers whose program is here, by name; `weir` is its path or None."""
    peers = {}

    def add(name, template, *command):
        peers[name] = Peer(name, template, command)

    if weir is not None:
        add("weir", _nginx_text(WEIR_MAIN, ""), weir, "-c", "{conf}")
    for name, program, package in (("nginx", "nginx", "nginx"),
                                   ("haproxy", "haproxy", "haproxy")):
        try:
            path = rig.need(program, package)
        except rig.RigError as why:
            rig.note(f"{name} is left out: {why}")
            continue
        if name == "nginx":
            add("nginx", _nginx_text(NGINX_MAIN, NGINX_HTTP), path, "-c", "{conf}")
            add("nginx-64k", _nginx_text(NGINX_MAIN, NGINX_HTTP + BIG_BUFFERS), path, "-c",
                "{conf}")
        else:
            add("haproxy", HAPROXY, path, "-W", "-db", "-f", "{conf}")
    add("relay", "", rig.TOOLS / "relay", "{port}", "{origins}")
    return peers
