"""Makes authorities, certificates and lists of revoked ones with openssl, and starts servers that use them."""

import atexit
import os
import random
import shutil
import subprocess
import sys
import tempfile

from harness import Server, command_for
from wire import Client, grpc

CONFIGURATION = """
[ca]
default_ca = here
[here]
dir = {directory}
database = {directory}/index
new_certs_dir = {directory}
serial = {directory}/serial
crlnumber = {directory}/crlnumber
certificate = {directory}/ca.pem
private_key = {directory}/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
copy_extensions = copy
policy = any
[any]
commonName = optional
organizationName = optional
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"openssl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def serial():
    """Like none that `openssl ca` counts up."""
    return str(random.getrandbits(100) | 1 << 100)


class Authority:
    """Issues certificates into a directory of its own."""

    def __init__(self, name="authority"):
        self.directory = tempfile.mkdtemp(prefix="strake-e2e-ca-")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        print(f"authority {name}: {self.directory}", flush=True)
        self.certificate = self.path("ca.pem")
        with open(self.path("configuration"), "w") as file:
            file.write(CONFIGURATION.format(directory=self.directory))
        open(self.path("index"), "w").close()
        for file in ("serial", "crlnumber"):
            with open(self.path(file), "w") as number:
                number.write("1000\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", f"/CN={name}", "-keyout", self.path("ca.key"), "-out", self.certificate)

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, common_name=None, sans="IP:127.0.0.1,DNS:localhost", rsa=False, usage=None):
        """Certificate and key, under the name; those that are there already are replaced, one after the other."""
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        request, draft = self.path(name + ".csr"), self.path(name + ".draft")
        names = ["-addext", f"subjectAltName={sans}"] if sans else []
        names += ["-addext", f"extendedKeyUsage={usage}"] if usage else []
        openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/O=test/CN={common_name or name}", *names,
                "-keyout", draft + ".key", "-out", request)
        openssl("ca", "-batch", "-notext", "-config", self.path("configuration"), "-in", request, "-out", draft)
        pair = Pair(self.path(name + ".pem"), self.path(name + ".key"))
        os.rename(draft + ".key", pair.key)
        os.rename(draft, pair.certificate)
        return pair

    def issue_chain(self, name):
        """A certificate of an authority between, NAME-between.pem, and in the same file that authority's."""
        between, draft = self.issue_authority(name + "-between"), self.path(name + ".csr")
        pair = Pair(self.path(name + ".pem"), self.path(name + ".key"))
        with open(self.path(name + ".ext"), "w") as file:
            file.write("subjectAltName=IP:127.0.0.1\n")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", pair.key, "-out", draft)
        openssl("x509", "-req", "-in", draft, "-CA", between.certificate, "-CAkey", between.key, "-days", "30",
                "-set_serial", serial(), "-extfile", self.path(name + ".ext"), "-out", pair.certificate)
        with open(pair.certificate, "a") as file, open(between.certificate) as other:
            file.write(other.read())
        return pair

    def issue_authority(self, name):
        pair, request = Pair(self.path(name + ".pem"), self.path(name + ".key")), self.path(name + ".csr")
        with open(self.path(name + ".ext"), "w") as file:
            file.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.path("ca.key"), "-days", "30",
                "-set_serial", serial(), "-extfile", self.path(name + ".ext"), "-out", pair.certificate)
        return pair

    def revoke(self, pair):
        openssl("ca", "-config", self.path("configuration"), "-revoke", pair.certificate)

    def revoke_between(self, name):
        """The authority that `issue_chain` made for the name."""
        self.revoke(Pair(self.path(name + "-between.pem"), self.path(name + "-between.key")))

    def write_revocations(self, der=False):
        path = self.path("crl.der" if der else "crl.pem")
        openssl("ca", "-config", self.path("configuration"), "-gencrl", "-out", self.path("crl.draft"))
        if der:
            openssl("crl", "-in", self.path("crl.draft"), "-outform", "DER", "-out", self.path("crl.der.draft"))
            os.rename(self.path("crl.der.draft"), path)
        else:
            os.rename(self.path("crl.draft"), path)
        return path


class Pair:
    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def server_flags(self):
        return ["--cert-file", self.certificate, "--key-file", self.key]

    def curl(self):
        return ["--cert", self.certificate, "--key", self.key]

    def etcdctl(self):
        return ["--cert", self.certificate, "--key", self.key]


class SecureServer(Server):
    """One member whose clients speak TLS; `schemes` says what it listens for, on a port each."""

    def __init__(self, binary, flags=(), label=None, urls=None):
        super().__init__(binary, flags, label=label)
        self.urls = urls or [f"https://{self.endpoint}"]

    def command(self):
        peer = f"http://127.0.0.1:{self.peer_port}"
        return command_for(self.binary) + [
            "--name", "m1", "--data-dir", self.data_directory,
            "--listen-client-urls", ",".join(self.urls), "--advertise-client-urls", self.urls[0],
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"m1={peer}",
        ] + self.flags

    def log_text(self):
        return self.log_since(self.log_start).decode(errors="replace")


def secure_client(endpoint, authority, pair=None):
    """A gRPC client with certificates."""
    def read(path):
        with open(path, "rb") as file:
            return file.read()
    credentials = grpc.ssl_channel_credentials(
        read(authority), read(pair.key) if pair else None, read(pair.certificate) if pair else None)
    return Client(endpoint, credentials)
