"""Where a request comes from."""

from ipaddress import ip_network

import pytest

from server.addresses import Proxies, group_of

OURS = tuple(ip_network(text) for text in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_addresses_of_one_network_share_a_budget(address, group):
    assert group_of(address) == group


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9,198.51.100.1 , 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("fd00::1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", "9" * 5_000 + ", 198.51.100.1", "198.51.100.1"),
        (None, "198.51.100.1", None),
        ("testclient", "198.51.100.1", "testclient"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_is_the_client(peer, header, client):
    assert Proxies(OURS).client_address(peer, {"x-forwarded-for": header}) == client


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ('For="198.51.100.1:4711"', "198.51.100.1"),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=203.0.113.9, for=198.51.100.1;proto=https;by=10.0.0.1", "198.51.100.1"),
        ("proto=https; for=198.51.100.1 ;host=x.example", "198.51.100.1"),
        ("for=203.0.113.9, for=198.51.100.1, for=10.2.3.4", "198.51.100.1"),
        ("for=198.51.100.1, for=_hidden", "10.0.0.1"),
        ("for=198.51.100.1, proto=https", "10.0.0.1"),
        ("before=198.51.100.1", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_header_of_rfc_7239_says_the_same(header, client):
    headers = {"forwarded": header, "x-forwarded-for": "192.0.2.66"}
    assert Proxies(OURS, "forwarded").client_address("10.0.0.1", headers) == client


def test_nobody_is_believed_unless_told():
    headers = {"x-forwarded-for": "198.51.100.1", "forwarded": "for=198.51.100.1"}
    assert Proxies().client_address("127.0.0.1", headers) == "127.0.0.1"
    assert Proxies(OURS).client_address("10.0.0.1", {"forwarded": "for=198.51.100.1"}) == "10.0.0.1"
