"""Certificates that Martlet would not issue, made by openssl."""

import os

from cluster import run

CONFIGURATION = """
[ca]
default_ca = made
[made]
database = index
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
copy_extensions = copy
[any]
commonName = supplied
"""
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


class Maker:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        with open(folder + "/configuration", "w") as file:
            file.write(CONFIGURATION.replace("= index", f"= {folder}/index"))
        self.write("index", "")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def authority(self, name):
        """Certificate and key of a new authority."""
        pair = self.path(name + ".crt"), self.path(name + ".key")
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-days", "9",
             "-out", pair[0], "-keyout", pair[1]])
        return pair

    def issue(self, name, authority, start="20200101000000Z", end="20900101000000Z"):
        """Certificate and key, by an authority's certificate and key."""
        pair = self.path(name + ".crt"), self.path(name + ".key")
        request = self.path(name + ".csr")
        run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", "/CN=" + name, "-addext", NAMES, "-keyout", pair[1],
             "-out", request])
        run(["openssl", "ca", "-batch", "-config", self.path("configuration"), "-cert",
             authority[0], "-keyfile", authority[1], "-in", request, "-startdate", start,
             "-enddate", end, "-notext", "-out", pair[0],
             "-outdir", self.folder])
        return pair

    def expired(self, name, authority):
        return self.issue(name, authority, end="20210101000000Z")
