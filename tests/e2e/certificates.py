"""Certificates for tests, made by the openssl command: authorities, and what they sign."""

import pathlib
import subprocess


class Authority:
    """Signs certificates into `directory`; its own is `NAME.crt`."""

    def __init__(self, directory, name="ca"):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.certificate, self.key = self._paths(name)
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                      "-nodes", "-subj", f"/CN={name}", "-days", "30",
                      "-addext", "basicConstraints=critical,CA:TRUE",
                      "-keyout", self.key, "-out", self.certificate)

    def _paths(self, name):
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                       timeout=30)

    def sign(self, name, host=None, kind="ec", days=30, extensions=()):
        """A certificate for the host (the name itself), with its key: paths."""
        certificate, key = self._paths(name)
        request = self.directory / f"{name}.csr"
        extension = self.directory / f"{name}.ext"
        algorithm = (["-newkey", "rsa:2048"] if kind == "rsa" else
                     ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        self._openssl("req", "-new", *algorithm, "-nodes", "-subj", f"/CN={host or name}",
                      "-keyout", key, "-out", request)
        extension.write_text("\n".join([f"subjectAltName=DNS:{host or name}", *extensions]) + "\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                      "-CAcreateserial", "-days", days, "-extfile", extension,
                      "-out", certificate)
        return certificate, key
