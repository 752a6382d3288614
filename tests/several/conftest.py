"""What several processes are tested with: an installation whose events no other test's server relays."""

from tests.proofs.conftest import own_environ, site

__all__ = ["own_environ", "site"]
