"""Be the lab's own certificate authority, and certify the cloud's public endpoints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lab.cloud_files import replace_text
from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address

    from lab.cloud_layout import Layout

_DAYS = "825"
_EXTENSIONS = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def ensure(layout: Layout, names: Sequence[str], addresses: Sequence[IPv4Address]) -> bool:
    """Make the authority and the endpoints' certificate where needed; return whether anything changed.

    A certificate for other names is replaced. The operator gets a copy of the authority's certificate, never its key.
    """
    made = _ensure_authority(layout)
    wanted = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)])
    certified = layout.certificate.with_name("names")
    if made or not layout.certificate.exists() or not certified.exists() or certified.read_text() != wanted:
        _certify(layout, names[0], wanted)
        replace_text(certified, wanted, 0o600)
        made = True
    layout.paths.operator.mkdir(mode=0o700, parents=True, exist_ok=True)
    return replace_text(layout.paths.operator / "ca.crt", (layout.authority / "ca.crt").read_text(), 0o600) or made


def _ensure_authority(layout: Layout) -> bool:
    certificate, key = layout.authority / "ca.crt", layout.authority / "ca.key"
    if certificate.exists() and key.exists():
        return False
    layout.authority.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = layout.authority / "ca.crt.unfinished"
    _openssl(
        "req",
        "-x509",
        *_new_key(key),
        "-days",
        _DAYS,
        "-subj",
        "/CN=Understudy lab",
        "-out",
        str(unfinished),
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    unfinished.replace(certificate)
    return True


def _certify(layout: Layout, name: str, alternative_names: str) -> None:
    place = layout.certificate.parent
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, request, extensions = place / "api.key", place / "api.csr", place / "extensions"
    replace_text(extensions, _EXTENSIONS.format(names=alternative_names), 0o600)
    _openssl("req", *_new_key(key), "-subj", f"/CN={name}", "-out", str(request))
    certificate = _openssl(
        "x509",
        "-req",
        "-in",
        str(request),
        "-CA",
        str(layout.authority / "ca.crt"),
        "-CAkey",
        str(layout.authority / "ca.key"),
        "-set_serial",
        f"0x{os.urandom(16).hex()}",
        "-days",
        _DAYS,
        "-extfile",
        str(extensions),
    )
    replace_text(layout.certificate, certificate + key.read_text(), 0o600)
    for each in (key, request, extensions):
        each.unlink()


def _new_key(path: object) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path)]


def _openssl(*arguments: str) -> str:
    return run(["openssl", *arguments])
