"""What the Dockerfile promises to whoever runs the image."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.image.context import ROOT, environment, instructions

FINAL = ""


def of(stage, keyword):
    return [each.arguments for each in instructions() if (each.stage, each.keyword) == (stage, keyword)]


def test_the_linter_has_nothing_to_say():
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(  # noqa: S603 - the program is the one of the development requirements.
        [linter, "--no-color", "--disable-ignore-pragma", "Dockerfile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_linter_would_say_something(tmp_path):
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM python\nCMD python -m server\n")
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, careless], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert {"DL3006", "DL3025"} <= set(done.stdout.split())


def test_the_user_is_a_number_that_is_nobody_of_the_machine():
    [(user,)] = of(FINAL, "USER")
    assert all(int(number) >= 10_001 for number in user.split(":"))


def test_commands_need_no_shell():
    joined = {each.keyword: " ".join(each.arguments) for each in instructions() if each.stage == FINAL}
    assert joined["ENTRYPOINT"] == "[python, -m, server]"
    assert joined["CMD"] == "[serve]"
    assert joined["HEALTHCHECK"].endswith("CMD [python, -m, server, probe, live]")
    assert joined["STOPSIGNAL"] == "SIGTERM"
    assert "RUN" not in joined, "the last stage changes nothing but by copying"


def test_the_server_is_reached_from_outside_and_careful():
    names = environment()
    assert (names["GALLERIA_ENVIRONMENT"], names["GALLERIA_HOST"]) == ("production", "0.0.0.0")  # noqa: S104


def test_only_locked_wheels_are_installed():
    [install] = [arguments for arguments in of("build", "RUN") if "pip" in arguments]
    assert {"--require-hashes", "--only-binary", ":all:"} <= set(install)
    assert install[install.index("--requirement") + 1] == "/requirements.txt"
    assert ("requirements/runtime.txt", "/requirements.txt") in of("build", "COPY")


def test_the_images_it_begins_with_can_be_chosen():
    bases = [each.arguments[0] for each in instructions() if each.keyword == "FROM"]
    assert set(bases) == {"${NODE_IMAGE}", "${PYTHON_IMAGE}"}
    chosen = {argument.split("=")[0] for each in instructions() if each.keyword == "ARG" for argument in each.arguments}
    assert {"NODE_IMAGE", "PYTHON_IMAGE"} <= chosen


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (f"VERSION={project['version']}",) in of(FINAL, "ARG")
    [labels] = of(FINAL, "LABEL")
    told = dict(label.split("=", 1) for label in labels)
    assert told["org.opencontainers.image.description"] == project["description"]
    assert told["org.opencontainers.image.licenses"] == project["license"]
