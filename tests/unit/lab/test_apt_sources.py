from __future__ import annotations

import pytest

from lab import apt_sources
from lab.errors import LabError

DEB822 = """\
# comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def rewritten(text: str, name: str = "debian.sources", codename: str = "trixie") -> str:
    return apt_sources.for_release({name: text}, machine_codename="bookworm", codename=codename)


def test_deb822_sources_keep_the_mirror_and_change_the_suite() -> None:
    assert rewritten(DEB822) == (
        "Types: deb\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: trixie trixie-updates\n"
        "Components: main contrib\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        "\n"
        "Types: deb\n"
        "URIs: http://mirror.example/debian-security\n"
        "Suites: trixie-security\n"
        "Components: main\n"
    )


def test_one_line_sources_keep_their_options() -> None:
    text = (
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no] "
        "http://mirror.example/debian bookworm main non-free-firmware # the mirror\n"
        "deb-src http://mirror.example/debian bookworm main\n"
    )

    assert rewritten(text, "sources.list") == (
        "Types: deb\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: trixie\n"
        "Components: main non-free-firmware\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        "Check-Valid-Until: no\n"
    )


@pytest.mark.parametrize(
    "foreign",
    [
        "deb https://packages.example/apt cloud-sdk-bookworm main",
        "deb https://packages.example/docker bookworm stable",
        "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://packages.example bookworm main",
        "deb https://packages.example/flat ./",
        "#deb http://other.example/debian bookworm main",
    ],
)
def test_other_vendors_and_disabled_lines_are_left_out(foreign: str) -> None:
    text = f"{foreign}\ndeb http://mirror.example/debian bookworm main\n"

    assert rewritten(text, "sources.list").count("URIs:") == 1
    assert "mirror.example" in rewritten(text, "sources.list")


def test_a_disabled_stanza_is_left_out() -> None:
    text = DEB822 + "\nTypes: deb\nEnabled: no\nURIs: http://off.example\nSuites: bookworm\nComponents: main\n"

    assert "off.example" not in rewritten(text)


def test_the_machines_own_release_stays_itself() -> None:
    assert "Suites: bookworm bookworm-updates\n" in rewritten(DEB822, codename="bookworm")


def test_the_same_source_in_two_files_counts_once() -> None:
    line = "deb http://mirror.example/debian bookworm main\n"
    files = {"/etc/apt/sources.list": line, "/etc/apt/sources.list.d/again.list": line}

    assert apt_sources.for_release(files, machine_codename="bookworm", codename="trixie").count("URIs:") == 1


def test_no_source_with_the_codename_is_refused_with_the_files_that_were_read() -> None:
    with pytest.raises(
        LabError, match=r"None of the apt sources of this machine \(debian.sources\) has the Debian suite"
    ):
        rewritten(DEB822.replace("bookworm", "stable"))


def test_only_security_is_no_mirror_to_build_from() -> None:
    with pytest.raises(LabError, match="no mirror to build trixie from"):
        rewritten("deb http://mirror.example/debian-security bookworm-security main", "sources.list")


def test_a_folded_key_is_not_taken_for_the_archives() -> None:
    text = (
        "Types: deb\nURIs: http://vendor.example\nSuites: bookworm\nComponents: main\nSigned-By:\n"
        " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n -----END PGP PUBLIC KEY BLOCK-----\n\n"
    )

    assert "vendor.example" not in rewritten(text + DEB822)


def test_authorities_are_needed_only_where_a_source_is_fetched_over_tls() -> None:
    assert not apt_sources.uses_https(rewritten(DEB822))
    assert apt_sources.uses_https(rewritten(DEB822.replace("http:", "https:")))
