"""Where calls may go, address by address."""

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.calls.egress import Egress

PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"]
REFUSED = [
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("10.1.2.3", "private"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.168.1.1", "private"),
    ("100.64.0.1", "share"),
    ("100.100.100.200", "share"),
    ("169.254.169.254", "link-local"),
    ("168.63.129.16", "metadata"),
    ("192.0.0.192", "protocols"),
    ("192.0.2.1", "documentation"),
    ("198.18.0.1", "benchmarks"),
    ("192.88.99.1", "6to4"),
    ("224.0.0.1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("fd00:ec2::254", "private"),
    ("fc00::1", "private"),
    ("fec0::1", "reserved"),
    ("ff02::1", "multicast"),
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:169.254.169.254", "link-local"),
    ("::ffff:0:127.0.0.1", "reserved"),
    ("::127.0.0.1", "reserved"),
    ("64:ff9b::7f00:1", "loopback"),
    ("64:ff9b::a00:1", "private"),
    ("64:ff9b:1::808:808", "translation"),
    ("2002:7f00:1::", "6to4"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "protocols"),
    ("2001:db8::1", "documentation"),
    ("3fff::1", "documentation"),
    ("4000::1", "reserved"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_called(address: str) -> None:
    assert Egress().refusal("example.com", 443, ip_address(address)) is None


@pytest.mark.parametrize(("address", "reason"), REFUSED)
def test_what_is_not_public_is_refused_with_a_reason(address: str, reason: str) -> None:
    refusal = Egress().refusal("example.com", 443, ip_address(address))
    assert refusal is not None
    assert reason in refusal


@pytest.mark.parametrize(("address", "reason"), REFUSED)
def test_it_may_be_allowed_by_its_network(address: str, reason: str) -> None:
    everything = Egress(["0.0.0.0/0", "::/0"])
    assert everything.refusal("example.com", 443, ip_address(address)) is None


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", 80, "127.0.0.1", True),
        ("127.0.0.1", "some.name", 80, "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", 80, "127.0.0.2", False),
        ("127.0.0.0/8", "x", 80, "127.9.9.9", True),
        ("127.0.0.0/8", "x", 80, "::ffff:127.9.9.9", True),
        ("127.0.0.0/8", "x", 80, "::1", False),
        ("10.0.0.1/8", "x", 80, "10.9.9.9", True),
        ("127.0.0.1:8080", "x", 8080, "127.0.0.1", True),
        ("127.0.0.1:8080", "x", 8081, "127.0.0.1", False),
        ("10.0.0.0/8:443", "x", 443, "10.0.0.1", True),
        ("10.0.0.0/8:443", "x", 80, "10.0.0.1", False),
        ("::1", "::1", 80, "::1", True),
        ("[::1]", "::1", 80, "::1", True),
        ("[::1]:8080", "::1", 8080, "::1", True),
        ("[::1]:8080", "::1", 80, "::1", False),
        ("fd00::/8", "x", 80, "fd12::1", True),
        ("localhost", "localhost", 80, "127.0.0.1", True),
        ("localhost", "LOCALHOST", 80, "::1", True),
        ("localhost", "localhost.", 80, "127.0.0.1", True),
        ("localhost.", "localhost", 80, "127.0.0.1", True),
        ("localhost", "127.0.0.1", 80, "127.0.0.1", False),
        ("localhost", "notlocalhost", 80, "127.0.0.1", False),
        ("localhost", "x.localhost", 80, "127.0.0.1", False),
        ("Db.Internal:5432", "db.internal", 5432, "10.0.0.1", True),
        ("db.internal:5432", "db.internal", 80, "10.0.0.1", False),
    ],
)
def test_what_an_entry_allows(
    entry: str, host: str, port: int, address: str, allowed: bool
) -> None:
    assert (Egress([entry]).refusal(host, port, ip_address(address)) is None) is allowed


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "*.internal",
        "http://x",
        "x/y",
        "300.0.0.1",
        "10.0.0.0/33",
        "2130706433",
        "x:0",
        "x:65536",
        "x:port",
        "x:",
        "[::1",
        "[::1]8080",
        "-x",
        "a b",
        "x:٣",
    ],
)
def test_what_is_no_entry_is_told(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a host nor a network"):
        Egress([entry])


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_all_its_disguises(address: object) -> None:
    egress = Egress()
    plain = egress.refusal("x", 80, ip_address(str(address)))
    assert egress.refusal("x", 80, ip_address(f"::ffff:{address}")) == plain
    assert egress.refusal("x", 80, ip_address(f"64:ff9b::{address}")) == plain


@given(st.ip_addresses())
def test_what_may_be_called_python_takes_for_public(address: object) -> None:
    ip = ip_address(str(address))
    disguised = isinstance(ip, IPv6Address) and int(ip) >> 32 in (0xFFFF, 0x64FF9B << 64)
    if not disguised and Egress().refusal("x", 80, ip) is None:
        assert ip.is_global
        assert not ip.is_multicast
