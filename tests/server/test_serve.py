"""How long a server may take to end."""

import dataclasses

import pytest

from server.app import create_app
from server.serve import patience_seconds, server_of


@pytest.mark.parametrize(("deadline", "grace"), [(10, 20), (20, 20), (60, 60)])
def test_no_request_is_cut_off_before_its_deadline(settings, deadline, grace):
    own = dataclasses.replace(settings, deadline_seconds=deadline, drain_seconds=5)
    assert server_of(create_app(own), own).config.timeout_graceful_shutdown == grace
    # And none by the supervisor while the server still waits for it.
    assert patience_seconds(own) == 5 + grace + 10
