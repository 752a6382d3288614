"""Reads `.dockerignore` and `Dockerfile` as an engine does, and lays out the tree of the image without one."""

import dataclasses
import os
import re
import shlex
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
TREE = "/srv/galleria"
"""Where the image has the program."""


@dataclasses.dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a Dockerfile.

    Attributes:
        stage: Name of the stage it belongs to; the last one has none.
        keyword: Such as COPY.
        arguments: What follows, split at spaces.
    """

    stage: str
    keyword: str
    arguments: tuple[str, ...]


def instructions(root: Path = ROOT) -> list[Instruction]:
    """Read the Dockerfile; lines that go on are joined, comments left out."""
    lines = [line for line in (root / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    found: list[Instruction] = []
    stage = ""
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            stage = rest.partition(" AS ")[2]
        if keyword:
            found.append(Instruction(stage, keyword, tuple(shlex.split(rest))))
    return found


def environment(root: Path = ROOT) -> dict[str, str]:
    """Return the variables that the image sets."""
    settings = [each.arguments for each in instructions(root) if (each.stage, each.keyword) == ("", "ENV")]
    return dict(argument.split("=", 1) for arguments in settings for argument in arguments)


def admitted(root: Path = ROOT) -> set[str]:
    """Return the files that `.dockerignore` lets an engine see, relative to the root."""
    lines = _rules(root)
    # Rules that come later win.
    rules = [(line.startswith("!"), _expression(line.removeprefix("!"))) for line in reversed(lines)]
    exceptions = tuple(f"{line[1:]}/" for line in lines if line.startswith("!"))
    found = set()
    for folder, folders, names in os.walk(root):
        place = Path(folder).relative_to(root)
        # As engines do: a folder that is left out is looked into only where an exception begins with its name.
        folders[:] = [
            name
            for name in folders
            if _is_admitted(place / name, rules)
            or any(each.startswith(f"{(place / name).as_posix()}/") for each in exceptions)
        ]
        found |= {(place / name).as_posix() for name in names if _is_admitted(place / name, rules)}
    return found


def _rules(root: Path) -> list[str]:
    lines = (line.strip() for line in (root / ".dockerignore").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _is_admitted(path: Path, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Tell what the first rule says that matches the file or a folder on the way to it."""
    places = [place.as_posix() for place in (path, *path.parents[:-1])]
    return next((admits for admits, rule in rules if any(map(rule.fullmatch, places))), True)


def _expression(rule: str) -> re.Pattern[str]:
    """Translate a pattern: `*` and `?` stay within a folder, `**` goes through any number of them."""
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(pieces.get(piece) or re.escape(piece) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", rule)))


def lay_out(target: Path, root: Path = ROOT) -> None:
    """Do what the Dockerfile does to make the tree of the image, in a folder that does not exist yet.

    The bundle of GraphiQL is taken from the repository, where it lies as its stage builds it.
    """
    seen = admitted(root)
    for each in instructions(root):
        if (each.stage, each.keyword) != ("build", "COPY"):
            continue
        *sources, place = each.arguments
        if place.startswith("/"):
            continue
        if sources[0].startswith("--from="):
            shutil.copytree(root / place, target / place)
            continue
        for source in sources:
            _copied({path for path in seen if path == source or path.startswith(f"{source}/")}, root, target)
    _remove_sources(target, root)


def _copied(paths: set[str], root: Path, target: Path) -> None:
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / path)


def _remove_sources(target: Path, root: Path) -> None:
    """Follow the `rm -r` of the Dockerfile."""
    [command] = [
        each.arguments for each in instructions(root) if (each.stage, each.arguments[:2]) == ("build", ("rm", "-r"))
    ]
    for pattern in command[2 : command.index("&&")]:
        for path in target.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
